import type { Checkpoint, Progress, Session, SessionState } from '../model/replication.ts'
import type { Brick } from './volume-info.ts'
import { child, children, textOf, wholeIn, type XmlNode } from './xml.ts'

/** What the session says about one brick of the primary. */
export interface BrickRow {
  host: string
  hostUuid: string
  path: string
  status: string
  crawl: string
  /** Entries, data and metadata that the session knows it still has to send. */
  pending: number
  /** Epoch seconds; undefined when it shows none. */
  checkpointAt: number | undefined
  completed: boolean
}

/** The secondary end of a session. */
export interface SecondaryEnd {
  host: string
  volume: string
}

/** A session as the status lists it, with the user it runs as. */
export interface ListedSession extends SecondaryEnd {
  user: string
  rows: BrickRow[]
}

/** All sessions of a status answer. Names changed with Gluster 10.0: slave to secondary, master to primary. */
export function listedSessions(root: XmlNode): ListedSession[] {
  const volumes = children(child(root, 'geoRep'), 'volume')
  const sessions = volumes.flatMap((volume) => children(child(volume, 'sessions'), 'session'))
  return sessions.flatMap((session) => {
    const end = endOf(textOf(session, 'session_secondary', 'session_slave'))
    return end === undefined ? [] : [{ ...end, rows: children(session, 'pair').map(rowOf) }]
  })
}

/** The session to this secondary, whoever it runs as. */
export function findSession(root: XmlNode, { host, volume }: SecondaryEnd): ListedSession | undefined {
  return listedSessions(root).find((found) => found.host === host && found.volume === volume)
}

/** `<uuid>:ssh://[user@]host::volume[:<volume uuid>]` */
function endOf(text: string): (SecondaryEnd & { user: string }) | undefined {
  const match = /ssh:\/\/(?:([^@:/]+)@)?([^@/]+?)::([^:/]+)(?::[^:]*)?$/.exec(text)
  const [, user = 'root', host, volume] = match ?? []
  return host === undefined || volume === undefined ? undefined : { user, host, volume }
}

function rowOf(pair: XmlNode): BrickRow {
  return {
    host: textOf(pair, 'primary_node', 'master_node'),
    hostUuid: textOf(pair, 'primary_node_uuid', 'master_node_uuid'),
    path: textOf(pair, 'primary_brick', 'master_brick'),
    status: textOf(pair, 'status'),
    crawl: textOf(pair, 'crawl_status'),
    // A brick that does not work has N/A there.
    pending: ['entry', 'data', 'meta'].reduce((sum, name) => sum + Math.max(0, wholeIn(pair, name) ?? 0), 0),
    checkpointAt: secondsOf(textOf(pair, 'checkpoint_time')),
    completed: textOf(pair, 'checkpoint_completed') === 'Yes',
  }
}

/** Times in the XML are UTC, unlike those of the text. */
function secondsOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined
  const ms = Date.parse(`${text.replace(' ', 'T')}Z`)
  return Number.isNaN(ms) ? undefined : ms / 1000
}

/** Epoch seconds, as `config checkpoint` prints them; undefined when it prints something else. */
export function checkpointIn(printed: string): number | undefined {
  const at = Number(/^\d{1,11}$/m.exec(printed)?.[0])
  return at > 0 ? at : undefined
}

const states: Readonly<Record<string, SessionState>> = {
  Created: 'created',
  Stopped: 'stopped',
  'Initializing...': 'starting',
  Active: 'active',
  Passive: 'active',
  Paused: 'paused',
  Faulty: 'faulty',
}

function stateOf(row: BrickRow): SessionState {
  return Object.hasOwn(states, row.status) ? (states[row.status] ?? 'unknown') : 'unknown'
}

const worstFirst = ['faulty', 'unknown', 'paused', 'created', 'stopped', 'starting', 'active'] as const

/** The session as a whole. */
export function sessionOf(rows: readonly BrickRow[]): Session {
  const seen = new Set(rows.map(stateOf))
  return {
    state: worstFirst.find((state) => seen.has(state)) ?? 'unknown',
    bricks: rows.map((row) => ({ name: `${row.host}:${row.path}`, state: tellRow(row) })),
  }
}

/** True when a worker of any brick runs, or is being restarted. */
export function isRunning(rows: readonly BrickRow[]): boolean {
  return rows.some((row) => ['active', 'starting', 'faulty'].includes(stateOf(row)))
}

/** The bricks of the volume which the session does not know. */
export function bricksWithoutRow(rows: readonly BrickRow[], sets: readonly Brick[][]): Brick[] {
  return sets.flat().filter((brick) => rowFor(brick, rows) === undefined)
}

/**
 * How far the session is with a checkpoint: reached when every replica set has an active brick, all active ones completed
 * this checkpoint or a later one, none is faulty and none is missing. Passive bricks never say so.
 */
export function progressOf(rows: readonly BrickRow[], sets: readonly Brick[][], since: Checkpoint): Progress {
  const idle = rows.find((row) => ['stopped', 'created', 'paused'].includes(stateOf(row)))
  if (idle !== undefined && !isRunning(rows)) return { state: 'down', detail: tell(idle) }
  const pending = sets.map((set) => pendingIn(set, rows, since)).filter((one) => one !== undefined)
  const [first] = pending
  const counted = rows.reduce((sum, row) => sum + (row.status === 'Active' ? row.pending : 0), 0)
  if (first === undefined && sets.length > 0) return { state: 'reached' }
  return {
    state: 'waiting',
    reached: sets.length - pending.length,
    of: sets.length,
    busy: pending.some((one) => one.busy),
    atWork: pending.length > 0 && pending.every((one) => one.atWork),
    detail: first?.detail ?? 'the volume shows no bricks',
    ...(counted > 0 ? { pending: counted } : {}),
  }
}

interface Pending {
  busy: boolean
  atWork: boolean
  detail: string
}

const idle = { busy: false, atWork: false }

/** What a replica set still waits for; undefined when it is done. */
function pendingIn(set: readonly Brick[], rows: readonly BrickRow[], since: Checkpoint): Pending | undefined {
  const known = set.map((brick) => ({ brick, row: rowFor(brick, rows) }))
  const missing = known.find(({ row }) => row === undefined)
  if (missing !== undefined)
    return {
      ...idle,
      detail: `${missing.brick.host}:${missing.brick.path} is not in the session's status`,
    }
  const own = known.flatMap(({ row }) => row ?? [])
  const faulty = own.find((row) => row.status === 'Faulty')
  if (faulty !== undefined) return pendingAs(faulty)
  const active = own.filter((row) => row.status === 'Active')
  const [first] = own
  if (active.length === 0) {
    return first === undefined ? { ...idle, detail: 'a replica set without bricks' } : pendingAs(first)
  }
  const behind = active.find(({ completed, checkpointAt }) => !(completed && (checkpointAt ?? 0) >= since.at))
  return behind === undefined ? undefined : pendingAs(behind)
}

/** A crawl of the past ends by itself; in the live one, nothing pending and no checkpoint means that events were lost. */
function pendingAs(row: BrickRow): Pending {
  const crawls = row.status === 'Active' && /^(Hybrid|History) Crawl$/.test(row.crawl)
  return { busy: crawls || row.pending > 0, atWork: row.status === 'Active', detail: tell(row) }
}

function rowFor(brick: Brick, rows: readonly BrickRow[]): BrickRow | undefined {
  const isHost = (row: BrickRow) =>
    row.host === brick.host || (brick.hostUuid !== '' && row.hostUuid === brick.hostUuid)
  return rows.find((row) => row.path === brick.path && isHost(row))
}

function tell(row: BrickRow): string {
  return `${row.host}:${row.path} ${tellRow(row)}`
}

function tellRow({ status, crawl, pending }: BrickRow): string {
  const more = pending > 0 ? `, ${pending} pending` : ''
  return crawl === '' || crawl === 'N/A' ? status : `${status}, ${crawl}${more}`
}
