import { Failure, messageOf } from '../model/errors.ts'
import type { FoundLimit } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import { valueAt } from '../model/window.ts'
import type { Obligation, Owed } from '../run/obligation.ts'
import type { Run } from '../run/run.ts'
import type { BackupOptions } from './options.ts'

/** Keeps the session of one replication below the rate that holds by the clock. */
export interface Bandwidth {
  /** The one that the session was given last, in bytes per second; undefined = none of ours. */
  rate(): number | undefined
  /** Whether another one holds by now. */
  isDue(): boolean
  /** Gives the session the one that holds now. Only while it is stopped: Gluster restarts the workers of one that runs. */
  apply(): Promise<void>
}

type OwedLimit = Owed & { what: Obligation & { kind: 'bandwidth' } }

/** What is found is owed before the first change, and restored by settling at the end of the run. */
export function bandwidthOf(run: Run, site: Site, { bandwidth = [], timeZone }: BackupOptions): Bandwidth {
  const { replication } = site
  const wanted = (): number | undefined => valueAt(bandwidth, run.clock.now(), timeZone)
  let given: number | undefined
  return {
    rate: () => given,
    isDue: () => wanted() !== given,
    async apply() {
      const rate = wanted()
      const owed = owedLimits(run.owed())
      if (rate !== undefined) {
        await replication.limit(rate, await found(run, site, owed), run.signal)
        tell(run, `the session sends at most ${Math.floor(rate / 1024)} KiB per second from now on`)
      } else {
        // What earlier runs owe was tried when this one began; it stays owed, and is no reason not to replicate.
        const own = owed.find((one) => one.run === run.id)
        if (own !== undefined) await lift(run, site, own)
      }
      given = rate
    },
  }
}

/** While the run goes on: a limit that cannot be lifted makes it slow, and settling tries again. */
async function lift(run: Run, site: Site, { what }: OwedLimit): Promise<void> {
  try {
    await site.replication.unlimit(what.found, run.signal)
    tell(run, 'the session is not limited by the job any more')
  } catch (error) {
    run.signal.throwIfAborted()
    const text = `the session keeps its limit for now: ${messageOf(error)}`
    run.emit({ kind: 'note', severity: 'warning', text })
  }
}

/** Settles limits owed: what was found is set again and seen, then struck. */
export async function restoreBandwidth(run: Run, site: Site, owed: readonly Owed[]): Promise<void> {
  if (run.owed().some(({ what }) => what.kind === 'session')) {
    throw new Failure('the session is not stopped, and a change of its settings would restart its workers', {
      hint: 'what keeps it from being stopped is told beside this; `vmbackup recover` then does both',
    })
  }
  for (const one of owedLimits(owed)) {
    await site.replication.unlimit(one.what.found, run.signal)
    run.strike(one)
  }
}

/** As it was before any run changed it: while that is owed, the session shows our own limit. */
async function found(run: Run, site: Site, owed: readonly OwedLimit[]): Promise<FoundLimit> {
  const own = owed.find((one) => one.run === run.id)
  if (own !== undefined) return own.what.found
  const before = owed.at(-1)?.what.found ?? (await site.replication.limitFound(run.signal))
  run.owe({ kind: 'bandwidth', found: before })
  return before
}

/** Newest first, as the ledger lists them. */
function owedLimits(owed: readonly Owed[]): OwedLimit[] {
  return owed.flatMap(({ what, ...one }) => (what.kind === 'bandwidth' ? [{ ...one, what }] : []))
}

function tell(run: Run, text: string): void {
  run.emit({ kind: 'note', severity: 'info', text })
}
