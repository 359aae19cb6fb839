import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import type { LabClient, LabVm } from '../../src/lab/client.ts'
import { benchLab } from './bench-lab.ts'
import { type Bench, type Figure, type Section, timesAsMuch } from './figure.ts'
import { medianOf } from './middle.ts'
import { copyByOriginalMethod } from './run/original-method.ts'
import { newestEvent, type OverlayLife, overlayLivesSince } from './run/overlay-lives.ts'

const vmCount = 10
/** As an administrator sets it who wants ten small VMs to be through at once. */
const allAtOnce = [`parallel = ${vmCount}`, `merge_parallel = ${vmCount}`, `merge_per_host = ${vmCount}`]

const reportShape = z.object({
  outcome: z.string(),
  steps: z.array(z.object({ name: z.string(), ms: z.number() })),
  vms: z.array(z.object({ name: z.string(), state: z.string(), consistency: z.string().optional() })),
})
type Report = z.output<typeof reportShape>

/** One copy of all VMs, from the order to the end of the program. */
interface Copied {
  seconds: number
  lives: OverlayLife[]
}
type CopiedByUs = Copied & { report: Report }

/** The whole run against the method of the tool that it replaces. */
export const section: Section = {
  title: 'Whole run',
  needsLab: true,
  async measure(bench) {
    await using lab = await benchLab('run', bench.signal, '--vms', `${vmCount}`, '--rate', '20')
    const vms = await leaveRunning(lab)
    const config = await configWith(lab, allAtOnce)
    // The first one sends all that there is.
    await copyByUs(lab, bench, 'the first copy', lab.status.config)
    const ours = await copyByUs(lab, bench, 'ours', config)
    const byDefault = await copyByUs(lab, bench, 'ours, by default', lab.status.config)
    const original = await copyByOriginal(lab, bench, vms)
    return {
      figures: figuresOf(ours, byDefault, original),
      how: [
        `${vmCount} running VMs with a disk of 32 MiB and 20 writes a second each, on one host and one volume of one brick; three more VMs are down and copied, too.`,
        'Ours is the command line from its start to its end, with all it compares and proves, which the original method does not; `all at once` is',
        `${allAtOnce.join(', ')} in [snapshot], as for ten VMs that are spread over several hosts. Each once, after a first copy of everything.`,
        'The original method takes a snapshot of VM after VM and looks every 10 s, lets schedule_georep.py replicate, deletes the overlays on the',
        'secondary, and merges VM after VM, looking every 10 s. Overlay lives are counted from the event of the engine that says that the snapshot is',
        'complete to the one that says that it is removed; a merge from the event that says that the removal was begun.',
      ].join(' '),
    }
  },
}

/** Stops what is particular in the lab, so that exactly so many VMs run. */
async function leaveRunning(lab: LabClient): Promise<LabVm[]> {
  for (const name of ['extra', 'special']) await lab.control('POST', `/vms/${name}/stop`)
  const { vms } = await lab.world()
  return vms.filter(({ name, status }) => /^vm\d+$/.test(name) && status === 'up')
}

async function configWith(lab: LabClient, snapshot: readonly string[]): Promise<string> {
  const text = await readFile(lab.status.config, 'utf8')
  const file = join(lab.status.dir, 'all-at-once.cfg')
  await writeFile(file, text.replace('[snapshot]', ['[snapshot]', ...snapshot].join('\n')), { mode: 0o600 })
  return file
}

async function copyByUs(
  lab: LabClient,
  { say, signal }: Bench,
  name: string,
  config: string,
): Promise<CopiedByUs> {
  const from = await newestEvent(lab)
  const [file, ...args] = lab.vmbackup('--config', config, '--json', '--quiet')
  const began = performance.now()
  const { stdout } = await execa(file, args, { cancelSignal: signal })
  const seconds = (performance.now() - began) / 1000
  const report = reportShape.parse(JSON.parse(stdout))
  const frozen = report.vms.filter(
    ({ state, consistency }) => state === 'protected' && consistency !== 'offline',
  )
  if (report.outcome !== 'protected' || frozen.length !== vmCount)
    throw new Error(`${name}: ${report.outcome}, ${frozen.length} VMs under a snapshot`)
  say(
    `${name}: ${seconds.toFixed(1)} s: ${report.steps.map(({ name: step, ms }) => `${step} ${(ms / 1000).toFixed(1)}`).join(', ')}`,
  )
  const lives = await overlayLivesSince(lab, from)
  say(
    lives.map(({ vm, seconds: life, merge }) => `${vm} ${life.toFixed(1)} (${merge.toFixed(1)})`).join(', '),
  )
  return { seconds, report, lives }
}

async function copyByOriginal(
  lab: LabClient,
  { say, signal }: Bench,
  vms: readonly LabVm[],
): Promise<Copied> {
  const from = await newestEvent(lab)
  const began = performance.now()
  await copyByOriginalMethod(lab, vms, say, signal)
  const seconds = (performance.now() - began) / 1000
  say(`the original method: ${seconds.toFixed(1)} s`)
  return { seconds, lives: await overlayLivesSince(lab, from) }
}

function figuresOf(ours: CopiedByUs, byDefault: CopiedByUs, original: Copied): Figure[] {
  return [
    ...[
      { what: `${vmCount} VMs, all at once`, copied: ours },
      { what: `${vmCount} VMs, settings by default`, copied: byDefault },
    ].flatMap(({ what, copied }): Figure[] => [
      {
        what,
        ours: { value: copied.seconds, unit: 's' },
        theirs: { who: 'the original method', value: original.seconds, unit: 's' },
        ratio: { value: original.seconds / copied.seconds, words: 'times as fast' },
        goal: { of: 'ratio', must: 'be at least', limit: 5 },
      },
      lifeFigure(`${what}: overlay life, median`, medianOf(lengths(copied)), medianOf(lengths(original))),
      lifeFigure(
        `${what}: overlay life, worst`,
        Math.max(...lengths(copied)),
        Math.max(...lengths(original)),
      ),
      againstNeed(what, copied),
    ]),
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

function lengths({ lives }: Copied): number[] {
  return lives.map(({ seconds }) => seconds)
}
