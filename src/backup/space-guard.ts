import { Failure } from '../model/errors.ts'
import type { OpenVolume, Space } from '../model/replication.ts'
import type { Run } from '../run/run.ts'
import { within } from '../run/within.ts'
import type { BackupOptions } from './options.ts'

const lookMs = 10_000

/** Watches over what is done by its run until disposed. */
export interface SpaceGuard extends Disposable {
  /** The same run, that ends with a Failure when space runs short. */
  readonly run: Run
}

/**
 * Looks at the free space of the primary as often as at everything else. While overlays live there, every write of a guest takes
 * new space, and a volume that is full stops all of them: better no recovery point than that.
 */
export function guardSpace(run: Run, primary: OpenVolume, options: BackupOptions): SpaceGuard {
  const out = new AbortController()
  let looking = false
  const look = async (): Promise<void> => {
    if (looking) return
    looking = true
    try {
      const space = await within(primary.space(), AbortSignal.timeout(lookMs))
      const short = shortage(space, options.minFree)
      if (short !== undefined) out.abort(outOfSpace(short))
    } catch {
      // A volume that cannot be looked at is the replication's to tell of.
    } finally {
      looking = false
    }
  }
  const timer = setInterval(() => void look(), options.intervalMs).unref()
  return {
    run: { ...run, signal: AbortSignal.any([run.signal, out.signal]) },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

function outOfSpace(short: string): Failure {
  return new Failure(`${short} on the primary volume: the run is given up and its snapshots are merged`, {
    hint: 'free or add space on the primary volume; a merge needs room as well, so do not wait',
  })
}

/** Pure: what is missing, in words; undefined when there is room enough. */
export function shortage(
  { freeBytes, sizeBytes }: Space,
  least: BackupOptions['minFree'],
): string | undefined {
  const leastBytes = 'percent' in least ? (sizeBytes * least.percent) / 100 : least.bytes
  if (freeBytes >= leastBytes) return undefined
  const asSet = 'percent' in least ? `${least.percent}%` : `${least.bytes} bytes`
  return `${freeBytes} of ${sizeBytes} bytes are free, less than [snapshot] min_free (${asSet})`
}
