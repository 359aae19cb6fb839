import { z } from 'zod'
import { type Figure, timesAsMuch } from '../figure.ts'
import { medianOf } from '../middle.ts'
import type { OverlayLife } from './overlay-lives.ts'

/** What is read of the report of a run. */
export const reportShape = z.object({
  outcome: z.string(),
  steps: z.array(z.object({ name: z.string(), ms: z.number() })),
  vms: z.array(z.object({ name: z.string(), state: z.string(), consistency: z.string().optional() })),
})
type Report = z.output<typeof reportShape>

/** One copy of all VMs, from the order to the end of the program. */
export interface Copied {
  seconds: number
  lives: OverlayLife[]
}
export type CopiedByUs = Copied & { report: Report }

/** A run of ours against the original method, and the lives of its overlays against what they had to wait for. */
export function figuresOf(vms: number, what: string, copied: CopiedByUs, original: Copied): Figure[] {
  const [ours, theirs] = [lengths(copied, vms), lengths(original, vms)]
  return [
    {
      what,
      ours: { value: copied.seconds, unit: 's' },
      theirs: { who: 'the original method', value: original.seconds, unit: 's' },
      ratio: { value: original.seconds / copied.seconds, words: 'times as fast' },
      goal: { of: 'ratio', must: 'be at least', limit: 5 },
    },
    lifeFigure(`${what}: overlay life, median`, medianOf(ours), medianOf(theirs)),
    lifeFigure(`${what}: overlay life, worst`, Math.max(...ours), Math.max(...theirs)),
    againstNeed(what, copied),
  ]
}

function lifeFigure(what: string, ours: number, theirs: number): Figure {
  return {
    what,
    ours: { value: ours, unit: 's' },
    theirs: { who: 'the original method', value: theirs, unit: 's' },
    ratio: timesAsMuch(ours, theirs),
  }
}

/** The VM whose overlay lived longest beyond what replication, comparison and its own merge took. */
function againstNeed(what: string, { report, lives }: CopiedByUs): Figure {
  const stepSeconds = (name: string): number =>
    report.steps.filter((one) => one.name === name).reduce((sum, { ms }) => sum + ms / 1000, 0)
  const needed = stepSeconds('replicate') + stepSeconds('compare')
  const [worst] = lives
    .map(({ seconds, merge }) => ({ seconds, needed: needed + merge }))
    .toSorted((a, b) => b.seconds / b.needed - a.seconds / a.needed)
  if (worst === undefined) throw new Error('the engine tells of no merge')
  return {
    what: `${what}: overlay life, worst`,
    ours: { value: worst.seconds, unit: 's' },
    theirs: { who: 'replication, comparison, its own merge', value: worst.needed, unit: 's' },
    ratio: timesAsMuch(worst.seconds, worst.needed),
    goal: { of: 'ratio', must: 'be at most', limit: 1.1 },
  }
}

/** Throws unless the engine tells of every VM's overlay, from its beginning to its end. */
function lengths({ lives }: Copied, vms: number): number[] {
  const whole = lives.filter(({ seconds, merge }) => Number.isFinite(seconds) && Number.isFinite(merge))
  if (whole.length === vms) return whole.map(({ seconds }) => seconds)
  throw new Error(`the engine tells of the overlays of ${whole.length} VMs, and not of ${vms}`)
}
