import type { Finding } from './finding.ts'

/** State of the session as a whole: the worst of its bricks. */
export type SessionState = 'created' | 'stopped' | 'starting' | 'active' | 'paused' | 'faulty' | 'unknown'

/** Whether it neither sends nor will by itself. */
export function isStopped(state: SessionState): boolean {
  return state === 'created' || state === 'stopped'
}

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
  /**
   * `busy`: it works through a backlog, which takes the time it takes; silence of one that is not busy is a stall.
   * `atWork`: its workers are up, so that it may be reached at any moment.
   * `pending`: changes that it knows of and has not sent, of those that it looks at now; absent while it counts none.
   */
  | {
      state: 'waiting'
      reached: number
      of: number
      busy: boolean
      atWork: boolean
      detail: string
      pending?: number
    }
  | { state: 'reached' }
  /** The session does not run (any more): start it again. */
  | { state: 'down'; detail: string }

/** What decided how much a session may send, by the adapter's own names: only the adapter reads it. */
export type FoundLimit = Readonly<Record<string, string>>

/** A file of a volume, open for reading. Disposing closes it. */
export interface VolumeFile extends AsyncDisposable {
  readonly sizeBytes: number
  /** On disk; a hole has none. */
  readonly allocatedBytes: number
  /** When it was written last, in any of its pieces, in nanoseconds since 1970. */
  readonly lastWriteNs: bigint
  /**
   * The sizes in bytes of the pieces in which it is stored and travels, by name: one that arrived short or not at all shows
   * here and nowhere else. Empty where a file is one piece.
   */
  readonly pieces: ReadonlyMap<string, number>
  /** Fills the buffer from that offset on; returns how much there was before the end of the file. */
  read(buffer: Buffer, offset: number): Promise<number>
}

/** Room on a volume, in bytes; free is what may still be written. */
export interface Space {
  freeBytes: number
  sizeBytes: number
}

/** A volume's root, mounted so that reads are never served from a stale cache. Disposing unmounts it. */
export interface OpenVolume extends AsyncDisposable {
  readonly dir: string
  space(): Promise<Space>
  /**
   * Opens a guest's disk (path relative to the root) so that reading changes nothing on the volume; `dir` promises that only
   * for files without holes. Throws what the file system says.
   */
  open(path: string, signal: AbortSignal): Promise<VolumeFile>
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
  mark(signal: AbortSignal): Promise<void>
  /** The checkpoint that was set last; also while the session runs. */
  marked(signal: AbortSignal): Promise<Checkpoint>
  progress(since: Checkpoint, signal: AbortSignal): Promise<Progress>
  /** Why no limit could hold; asked where one is wanted. Changes nothing. */
  limitFindings(signal: AbortSignal): Promise<Finding[]>
  /** What `unlimit` restores. */
  limitFound(signal: AbortSignal): Promise<FoundLimit>
  /**
   * From its next start on the session sends at most so many bytes per second, all its workers together; whatever else was
   * found goes on to hold. Only while it is stopped.
   */
  limit(bytesPerSecond: number, found: FoundLimit, signal: AbortSignal): Promise<void>
  /** Puts back what was found and sees that it is so; what somebody else has set since stays. Already so = done. */
  unlimit(found: FoundLimit, signal: AbortSignal): Promise<void>
  /** Mounts the primary's root, writable, on an existing empty directory. `nudge` on it lets a checkpoint complete. */
  openPrimary(dir: string, signal: AbortSignal): Promise<OpenVolume>
  /** Mounts the secondary's root with deletion and writing in place possible although it is read-only for others. */
  openSecondary(dir: string, signal: AbortSignal): Promise<OpenVolume>
  /** Unmounts whatever either of them mounted there and removes the directory. Already so = done. */
  closeVolume(dir: string, signal: AbortSignal): Promise<void>
  /** Makes one harmless change at the root of the primary, so that its change log moves on. */
  nudge(primary: OpenVolume, signal: AbortSignal): Promise<void>
  /**
   * Lets the next turn send these files (paths relative to the root) of the primary whole, in all their pieces, although
   * nothing changed them: what differs or is missing on the secondary is as on the primary afterwards. Works while the
   * session is stopped. Without `secondary` only what is missing or of another size there is sure to be sent. A file that the
   * primary does not have is skipped.
   */
  resend(
    ends: { primary: OpenVolume; secondary?: OpenVolume },
    files: readonly string[],
    signal: AbortSignal,
  ): Promise<void>
}
