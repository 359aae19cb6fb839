import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { Failure, isAbsent, Locked } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import type { Clock } from './clock.ts'
import type { Machine } from './machine.ts'

/** A claim that ends by itself unless it is renewed. */
export interface Lease extends Disposable {
  /** Aborted, with a Failure, when the lease could not be renewed in time or somebody else has it. */
  readonly signal: AbortSignal
  /** Throws the same when it is not sure any more that the lease is held: to be asked before every act. */
  assertHeld(): void
}

export interface LeaseOptions {
  machine: Machine
  clock: Clock
  signal: AbortSignal
  /** After so long without renewal another machine may take over. */
  leaseMs: number
  /** Told while it is waited for the end of another machine's lease. */
  waiting(what: string): void
}

/**
 * Takes the lease that the file stands for, for use beside a file lock that the caller holds. Where the state directory is shared,
 * a machine that lost the network loses its file locks without being told, and may still reach the engine: so it must show
 * that it lives, and must know when it can no longer. A record of a machine that is gone is taken over after a whole lease without a change, by
 * this machine's clock alone. Throws Locked when its holder is alive.
 */
export async function takeLease(file: string, options: LeaseOptions): Promise<Lease> {
  const { machine, clock, leaseMs } = options
  await outlive(file, options)
  const own = (beat: number): string =>
    JSON.stringify({ machine, pid: process.pid, since, beat } satisfies LeaseRecord).padEnd(recordBytes)
  const since = new Date(clock.now()).toISOString()
  const lost = new AbortController()
  let beat = 0
  let written = own(beat)
  let renewed = instant()
  write(file, written, 'w')

  /** Before anybody else may think that it has ended. */
  const isLate = (): boolean => elapsedMs(renewed) > leaseMs * 0.75
  const lose = (why: string): void => {
    if (lost.signal.aborted) return
    lost.abort(
      new Failure(`the lease ${file} is lost: ${why}; nothing more is done by this process`, {
        hint: 'look whether the state directory can be reached; whoever holds the lease next settles what is owed',
      }),
    )
  }
  const renew = (): void => {
    if (lost.signal.aborted) return
    if (isLate()) lose(`it could not be renewed for ${Math.round(elapsedMs(renewed) / 1000)} s`)
    else beatOnce()
  }
  const beatOnce = (): void => {
    try {
      const found = textOf(file)
      if (found !== written) {
        lose(`${holderOf(found)} has it`)
        return
      }
      const begun = instant()
      beat += 1
      written = own(beat)
      write(file, written)
      renewed = begun
    } catch {
      // Tried again at the next beat, until it is late.
    }
  }
  const timer = setInterval(renew, leaseMs / beatsPerLease).unref()

  return {
    signal: lost.signal,
    assertHeld() {
      if (isLate()) renew()
      lost.signal.throwIfAborted()
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      try {
        if (!lost.signal.aborted && textOf(file) === written) rmSync(file, { force: true })
      } catch {
        // Another machine then waits for its end.
      }
    },
  }
}

const recordBytes = 1024
const beatsPerLease = 8

interface LeaseRecord {
  machine: Machine
  pid: number
  since: string
  beat: number
}

/** Returns when nobody else can hold the lease. */
async function outlive(file: string, options: LeaseOptions): Promise<void> {
  const { machine, clock, leaseMs, signal } = options
  const first = textOf(file)
  if (first === undefined || isOver(recordIn(first), machine)) return
  // Looks are counted, not time: the wall clock may be set meanwhile.
  for (let look = 0; look < beatsPerLease; look += 1) {
    options.waiting(`the lease of ${holderOf(first)} to end`)
    await clock.sleep(leaseMs / beatsPerLease, signal)
    const now = textOf(file)
    if (now === undefined) return
    if (now === first) continue
    throw new Locked(`another run is going on: ${holderOf(now)} has just renewed its lease ${file}`, {
      hint: 'wait for it to end; its lease ends by itself when that machine or process dies',
    })
  }
}

/** True when its holder is surely dead: a process of this machine that is gone, or one from before it was started anew. */
function isOver(record: LeaseRecord | undefined, machine: Machine): boolean {
  if (record?.machine.id !== machine.id) return false
  return record.machine.boot !== machine.boot || record.pid === process.pid || !isAlive(record.pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

function holderOf(text: string | undefined): string {
  const record = recordIn(text)
  return record === undefined
    ? 'somebody'
    : oneLine(`pid ${record.pid} on ${record.machine.name} since ${record.since}`)
}

/** A torn or foreign record says nothing, and is waited for like any other. */
function recordIn(text: string | undefined): LeaseRecord | undefined {
  try {
    const record = JSON.parse(text ?? '') as LeaseRecord
    const { machine, pid, since } = record
    const texts = [machine.id, machine.name, machine.boot, since]
    return texts.every((one) => typeof one === 'string') && Number.isInteger(pid) ? record : undefined
  } catch {
    return undefined
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** In place and always of one length: a renewal must not need room on a full disk. */
function write(file: string, text: string, flags: 'w' | 'r+' = 'r+'): void {
  const handle = openSync(file, flags, 0o600)
  try {
    writeSync(handle, text, 0)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

interface Instant {
  wall: number
  steady: number
}

function instant(): Instant {
  return { wall: Date.now(), steady: performance.now() }
}

/** By whichever clock went further: the steady one stands still while the machine sleeps, the other may be set back. */
function elapsedMs(since: Instant): number {
  return Math.max(Date.now() - since.wall, performance.now() - since.steady)
}
