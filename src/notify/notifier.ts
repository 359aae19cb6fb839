import type { TroubleView } from '../agent/view.ts'
import type { Config } from '../config/keys.ts'
import type { Alert } from '../model/alert.ts'
import { chainOf } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import type { Clock } from '../run/clock.ts'
import { type Channels, createChannels, type Means } from './channels.ts'
import { type DigestSource, takeDigests } from './digests.ts'
import { Dispatch, type Findings } from './dispatch.ts'
import { createFindings, withdraw } from './findings.ts'
import { Outbox } from './outbox.ts'
import { type Directory, keyOf, type Receiver, receiversIn, receiversOf } from './routing.ts'
import { type Broken, type Told, troublesOf, unwritable, writable } from './troubles.ts'

/** Tells people of what happens: at once by alerts, at times by summaries. */
export interface Notifier extends Disposable {
  /** Takes an alert for all whom it concerns; on disk when this returns, or in memory where the disk does not take it. Never throws, and takes no id twice. */
  tell(alert: Alert): void
  /** Sends until aborted; what is under way then has five seconds more. Never throws. */
  work(signal: AbortSignal): Promise<void>
  /** Messages not sent yet; those of them whose receiver is failing; those given up, ever. */
  counts(): { waiting: number; failing: number; givenUp: number }
  /** Ways of telling that do not work at this time. */
  troubles(): TroubleView[]
}

export interface NotifierOptions extends Means {
  config: Directory & Pick<Config, 'mail' | 'daemon'>
  clock: Clock
  /** Where is kept what is to be sent; others may keep tables in it, too. */
  file: string
  /** What summaries are made of; asked when one is due. */
  digest: DigestSource
  /** Other ways of telling than the real ones. */
  channels?: Channels
}

const longestNapMs = 60_000
const graceMs = 5_000
const pruneMs = 3_600_000
/** After so long without another failure of the disk it counts as healed. */
const quietMs = 600_000

/** Opens the outbox; throws Failure when that cannot be done. */
export function createNotifier(options: NotifierOptions): Notifier {
  return new Desk(options)
}

class Desk implements Notifier {
  readonly #options: NotifierOptions
  readonly #receivers: readonly Receiver[]
  readonly #disk: Dispatch
  /** For what the disk does not take; gone with the process. */
  #spare: Dispatch | undefined
  #broken: (Broken & { last: number }) | undefined
  #pruneAt = 0
  #wake = (): void => undefined

  constructor(options: NotifierOptions) {
    this.#options = options
    this.#receivers = options.config.routes.flatMap(receiversIn)
    this.#disk = this.#dispatch(new Outbox(options.file))
  }

  tell(alert: Alert): void {
    if (!this.#take(alert)) return
    this.#wake()
  }

  async work(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const drop = new AbortController()
    const done = new AbortController()
    const give = () =>
      void clock.sleep(graceMs, done.signal).then(
        () => drop.abort(signal.reason),
        () => undefined,
      )
    signal.addEventListener('abort', give, { once: true })
    const { outbox } = this.#disk
    this.#try(() => withdraw(outbox, this.#receivers, this.#findings(outbox)))
    while (!signal.aborted) {
      const nap = new AbortController()
      this.#wake = () => nap.abort()
      const next = this.#pass({ stop: signal, drop: drop.signal })
      const ms = Math.min(Math.max(next - clock.now(), 0), longestNapMs)
      await clock.sleep(ms, AbortSignal.any([signal, nap.signal])).catch(() => undefined)
    }
    await Promise.all(this.#all().map((dispatch) => dispatch.ended()))
    done.abort()
  }

  counts(): { waiting: number; failing: number; givenUp: number } {
    const sum = { waiting: 0, failing: 0, givenUp: 0 }
    for (const { outbox } of this.#all()) {
      this.#try(() => {
        const { waiting, failing, givenUp } = outbox.counts()
        sum.waiting += waiting
        sum.failing += failing
        sum.givenUp += givenUp
      })
    }
    return sum
  }

  troubles(): TroubleView[] {
    const failing = this.#all().flatMap(
      ({ outbox }) =>
        this.#try(() =>
          outbox.failing().flatMap((how) => {
            const receiver = this.#receivers.find((one) => keyOf(one) === how.receiver)
            return receiver === undefined ? [] : [{ receiver, how }]
          }),
        ) ?? [],
    )
    return troublesOf(failing, this.#broken)
  }

  [Symbol.dispose](): void {
    for (const { outbox } of this.#all()) outbox[Symbol.dispose]()
  }

  #all(): Dispatch[] {
    return this.#spare === undefined ? [this.#disk] : [this.#disk, this.#spare]
  }

  #dispatch(outbox: Outbox): Dispatch {
    const { config, clock } = this.#options
    return new Dispatch(outbox, {
      receivers: this.#receivers,
      channels: this.#options.channels ?? createChannels(this.#options),
      foldAbove: config.daemon.foldAbove,
      clock,
      findings: this.#findings(outbox),
    })
  }

  /** Begins all that is due; when there is something due again. */
  #pass(signals: { stop: AbortSignal; drop: AbortSignal }): number {
    const { config, clock, digest } = this.#options
    this.#mend()
    const digestAt = this.#try(() => takeDigests(config.routes, this.#disk.outbox, digest, clock.now()))
    const nexts = this.#all().map((one) => this.#try(() => one.begin(signals, () => this.#wake())))
    if (clock.now() >= this.#pruneAt) {
      this.#pruneAt = clock.now() + pruneMs
      this.#try(() => this.#disk.outbox.prune(clock.now()))
    }
    return Math.min(...[digestAt, ...nexts].map((next) => next ?? Number.POSITIVE_INFINITY))
  }

  #take(alert: Alert): boolean {
    const { config, clock } = this.#options
    const to = () =>
      receiversOf(alert, config, (one) =>
        this.#all().some(({ outbox }) => outbox.wasTold(alert.matter, keyOf(one))),
      )
    const taken = this.#try(() =>
      this.#spare?.outbox.knows(alert.id) ? false : this.#disk.outbox.take(alert, to(), clock.now()),
    )
    if (taken !== undefined) return taken
    return this.#memory().outbox.take(
      alert,
      receiversOf(alert, config, () => true),
      clock.now(),
    )
  }

  #findings(outbox: Outbox): Findings {
    return createFindings({
      outbox,
      receivers: this.#receivers,
      clock: this.#options.clock,
      say: (told, kind) => this.#say(told, kind),
      broken: (error) => this.#breaks(error),
    })
  }

  #say(told: Told, kind: 'trouble' | 'trouble over'): void {
    this.tell({ ...told, kind, at: this.#options.clock.now() })
  }

  #try<T>(act: () => T): T | undefined {
    try {
      return act()
    } catch (error) {
      this.#breaks(error)
      return undefined
    }
  }

  #breaks(error: unknown): void {
    const now = this.#options.clock.now()
    const isNew = this.#broken === undefined
    const what = oneLine(chainOf(error).join(': '), 300)
    this.#broken = { since: this.#broken?.since ?? now, what, last: now }
    if (!isNew) return
    const alert: Alert = { ...unwritable(this.#broken), kind: 'trouble', at: now }
    this.#memory().outbox.take(alert, receiversOf(alert, this.#options.config), now)
    this.#wake()
  }

  #memory(): Dispatch {
    this.#spare ??= this.#dispatch(new Outbox(':memory:'))
    return this.#spare
  }

  /** Puts on disk what it did not take before. */
  #mend(): void {
    const spare = this.#spare
    if (spare?.isIdle) {
      try {
        this.#disk.outbox.adopt(spare.outbox)
        this.#spare = undefined
        spare.outbox[Symbol.dispose]()
      } catch (error) {
        this.#breaks(error)
      }
    }
    const broken = this.#broken
    if (broken === undefined || this.#options.clock.now() < broken.last + quietMs) return
    this.#broken = undefined
    this.#say(writable(broken), 'trouble over')
  }
}
