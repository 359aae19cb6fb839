import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { LabClient, LabVm } from '../../src/lab/client.ts'
import { benchLab } from './bench-lab.ts'
import type { Bench, Figure, Section } from './figure.ts'
import { type Copied, type CopiedByUs, figuresOf, reportShape } from './run/figures.ts'
import { copyByOriginalMethod } from './run/original-method.ts'
import { newestEvent, overlayLivesSince } from './run/overlay-lives.ts'

const vmCount = 10
/** As an administrator sets it who wants ten small VMs to be through at once. */
const allAtOnce = [`parallel = ${vmCount}`, `merge_parallel = ${vmCount}`, `merge_per_host = ${vmCount}`]

/** The whole run against the method of the tool that it replaces. */
export const section: Section = {
  title: 'Whole run',
  needsLab: true,
  async measure(bench) {
    await using lab = await benchLab('run', bench.signal, '--vms', `${vmCount}`, '--rate', '20')
    const vms = await leaveRunning(lab)
    const config = await configWith(lab, allAtOnce)
    // It comes first, since the first one sends all that there is.
    const byDefault = await copyByUs(lab, bench, 'ours, by default', lab.status.config)
    const ours = await copyByUs(lab, bench, 'ours', config)
    const original = await copyByOriginal(lab, bench, vms)
    return {
      figures: [
        ...figuresOf(vmCount, `${vmCount} VMs, all at once`, ours, original),
        ...figuresOf(vmCount, `${vmCount} VMs, settings by default`, byDefault, original).map(queueing),
      ],
      how: [
        `${vmCount} running VMs with a disk of 32 MiB and 20 writes a second each, on one host and one volume of one brick; three more VMs are down and copied, too.`,
        'Ours is the command line from its start to its end, with all it compares and proves, which the original method does not; `all at once` is',
        `${allAtOnce.join(', ')} in [snapshot], as for ten VMs that are spread over several hosts. Each once; the run by default is the first one, which sends everything.`,
        'The original method takes a snapshot of VM after VM and looks every 10 s, lets schedule_georep.py replicate, deletes the overlays on the',
        'secondary, and merges VM after VM, looking every 10 s. Overlay lives are counted from the event of the engine that says that the snapshot is',
        'complete to the one that says that it is removed; a merge from the event that says that the removal was begun. Time for which the script',
        'hung, because Gluster had lost its own events, is not counted: it would hang for ever.',
      ].join(' '),
    }
  },
}

/** By default guests come first: two merges go at once on one host, and the others wait for them. */
function queueing(figure: Figure): Figure {
  if (figure.goal?.must !== 'be at most') return figure
  const { goal: _, ...rest } = figure
  return {
    ...rest,
    note: 'no goal: by merge_per_host = 2 VMs of one host wait for each other, which is what it is for',
  }
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
  const lost = await copyByOriginalMethod(lab, vms, say, signal)
  const seconds = (performance.now() - began) / 1000 - lost
  say(`the original method: ${seconds.toFixed(1)} s, and ${lost.toFixed(1)} s for which the script hung`)
  const lives = await overlayLivesSince(lab, from)
  return { seconds, lives: lives.map((one) => ({ ...one, seconds: one.seconds - lost })) }
}
