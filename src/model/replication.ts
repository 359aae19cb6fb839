import type { Finding } from './finding.ts'

/** State of the session as a whole: the worst of its bricks. */
export type SessionState = 'created' | 'stopped' | 'starting' | 'active' | 'paused' | 'faulty' | 'unknown'

export interface Session {
  state: SessionState
  /** One line per brick for people, e.g. `gp1:/bricks/data Active, History Crawl`. */
  bricks: { name: string; state: string }[]
}

/** A mark in the stream of changes; `at` in epoch seconds of the primary. */
export interface Checkpoint {
  at: number
}

export type Progress =
  /** `busy`: it works through a backlog, which takes the time it takes; silence of one that is not busy is a stall. */
  | { state: 'waiting'; reached: number; of: number; busy: boolean; detail: string }
  | { state: 'reached' }
  /** The session does not run (any more): start it again. */
  | { state: 'down'; detail: string }

/** A volume's root, mounted so that reads are never served from a stale cache. Disposing unmounts it. */
export interface OpenVolume extends AsyncDisposable {
  readonly dir: string
}

/** What the two volumes are. */
export interface VolumePair {
  primary: { volume: string; hosts: string[]; sharded: boolean; replicated: boolean }
  secondary: { volume: string; host: string }
}

/**
 * What a backup asks of the replication between two volumes. Every method is one question or one act: the waiting is
 * the story's. A passing "busy" is retried inside, bounded. All throw CommandFailed; a volume or a session that does not
 * exist is a Finding of `findings` and a Refused elsewhere.
 */
export interface Replication {
  /** All that would stop a run, and what deserves a warning; changes nothing. */
  findings(signal: AbortSignal): Promise<Finding[]>
  pair(signal: AbortSignal): Promise<VolumePair>
  session(signal: AbortSignal): Promise<Session>
  /** Already running = done. Success does not mean that it runs yet: look at `progress`. */
  start(signal: AbortSignal): Promise<void>
  /** Already stopped = done. */
  stop(signal: AbortSignal): Promise<void>
  /** Sets a checkpoint at this moment. */
  mark(signal: AbortSignal): Promise<Checkpoint>
  progress(since: Checkpoint, signal: AbortSignal): Promise<Progress>
  /** Mounts the primary's root, writable, on an existing empty directory. `nudge` on it lets a checkpoint complete. */
  openPrimary(dir: string, signal: AbortSignal): Promise<OpenVolume>
  /** Mounts the secondary's root with deletion and writing in place possible although it is read-only for others. */
  openSecondary(dir: string, signal: AbortSignal): Promise<OpenVolume>
  /** Unmounts whatever either of them mounted there and removes the directory. Already so = done. */
  closeVolume(dir: string, signal: AbortSignal): Promise<void>
  /** Makes one harmless change at the root of the primary, so that its change log moves on. */
  nudge(primary: OpenVolume, signal: AbortSignal): Promise<void>
}
