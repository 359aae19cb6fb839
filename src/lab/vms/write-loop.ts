import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBlock } from './block.ts'
import { type Geometry, placeOf, slotOf } from './geometry.ts'
import type { NbdDisk } from './nbd.ts'
import { findStart, writesPerFlush } from './write-start.ts'

const tickMs = 20

export interface WriteCount {
  /** The last write that the disks acknowledged; all before it are too. */
  acked: number
  /** The last write that a flush made durable. */
  flushed: number
  /** The longest wait for an acknowledgement (or a flush) since they were last forgotten, the current one included. */
  longestStallMs: number
  /** Why there are no more writes. */
  failure?: string
}

/** Writes numbered blocks over all disks of one VM, the next only after the last was acknowledged. */
export class WriteLoop {
  readonly #geometry: Geometry
  readonly #disks: NbdDisk[]
  #rate: number
  #acked: number
  #flushed: number
  #askedAt: number | undefined
  #longestStallMs = 0
  #failure: Error | undefined
  #hold: { reached: PromiseWithResolvers<void>; over: PromiseWithResolvers<void> } | undefined
  #wake = new AbortController()
  #closed = false

  private constructor(geometry: Geometry, disks: NbdDisk[], start: { write: number; rate: number }) {
    this.#geometry = geometry
    this.#disks = disks
    this.#rate = start.rate
    this.#acked = start.write
    this.#flushed = start.write
  }

  /** Begins at write 1 on blank disks, else after the last write found; throws if the disks are torn. */
  static async start(
    vm: string,
    disks: NbdDisk[],
    { rate, maxSlotsPerDisk }: { rate: number; maxSlotsPerDisk: number },
  ): Promise<WriteLoop> {
    const from = await findStart(vm, disks, maxSlotsPerDisk)
    for (const disk of disks) if (!from.disks.includes(disk)) disk.close()
    const loop = new WriteLoop(from.geometry, from.disks, { write: from.write, rate })
    await loop.#replay(from.seen)
    loop.#run().catch((error: Error) => loop.#fail(error))
    return loop
  }

  count(): WriteCount {
    const waitingMs = this.#askedAt === undefined ? 0 : performance.now() - this.#askedAt
    const longestStallMs = Math.max(this.#longestStallMs, waitingMs)
    const failure = this.#failure && { failure: this.#failure.message }
    return { acked: this.#acked, flushed: this.#flushed, longestStallMs, ...failure }
  }

  forgetStalls(): void {
    this.#longestStallMs = 0
  }

  setRate(rate: number): void {
    this.#rate = rate
    this.#wake.abort()
  }

  /** Resolves once the last write is acknowledged and flushed and no other is on its way. */
  async pause(): Promise<void> {
    if (this.#failure) throw this.#failure
    this.#hold ??= { reached: Promise.withResolvers(), over: Promise.withResolvers() }
    this.#wake.abort()
    await this.#hold.reached.promise
  }

  resume(): void {
    // A pause that is still waiting for its last write has failed; one that was reached stays so.
    this.#hold?.reached.reject(new Error('the writer was resumed before it stood still'))
    this.#hold?.over.resolve()
    this.#hold = undefined
  }

  /** Flushes, if the disks still answer, and lets go of them. */
  async close(): Promise<void> {
    await this.pause().catch(() => undefined)
    this.#closed = true
    this.resume()
    for (const disk of this.#disks) disk.close()
  }

  async #run(): Promise<void> {
    let due = performance.now()
    while (!this.#closed) {
      if (this.#hold) {
        await this.#rest(this.#hold)
        due = performance.now()
        continue
      }
      // Below one write a tick the tick gets longer. Time lost in a stall is not caught up: guests do not either.
      const periodMs = Math.max(tickMs, 1000 / this.#rate)
      for (let left = Math.round((this.#rate * periodMs) / 1000); left > 0 && !this.#hold; left--)
        await this.#write()
      due = Math.max(due + periodMs, performance.now())
      await this.#sleepUntil(due)
    }
  }

  /** What a crash left unflushed may be there in part; the same numbers give the same blocks again. */
  async #replay(seen: number): Promise<void> {
    if (this.#acked === seen) return
    while (this.#acked < seen) await this.#write()
    await this.#flush()
    this.forgetStalls()
  }

  async #write(): Promise<void> {
    const write = this.#acked + 1
    const slot = slotOf(this.#geometry, write)
    const { disk, offset } = placeOf(this.#geometry, slot)
    const block = encodeBlock(this.#geometry.vm, write, slot)
    await this.#timed(async () => this.#disks[disk]?.write(offset, block))
    this.#acked = write
    if (write % writesPerFlush === 0) await this.#flush()
  }

  async #flush(): Promise<void> {
    const acked = this.#acked
    await this.#timed(() => Promise.all(this.#disks.map((disk) => disk.flush())))
    this.#flushed = acked
  }

  async #timed(act: () => Promise<unknown>): Promise<void> {
    this.#askedAt = performance.now()
    await act()
    this.#longestStallMs = Math.max(this.#longestStallMs, performance.now() - this.#askedAt)
    this.#askedAt = undefined
  }

  async #rest(hold: {
    reached: PromiseWithResolvers<void>
    over: PromiseWithResolvers<void>
  }): Promise<void> {
    await this.#flush()
    hold.reached.resolve()
    await hold.over.promise
  }

  async #sleepUntil(due: number): Promise<void> {
    this.#wake = new AbortController()
    const leftMs = due - performance.now()
    if (this.#hold || leftMs <= 0) return
    await sleep(leftMs, undefined, { signal: this.#wake.signal }).catch(() => undefined)
  }

  #fail(error: Error): void {
    this.#failure = error
    this.#askedAt = undefined
    this.#hold?.reached.reject(error)
  }
}
