import type { Figure } from '../figure.ts'
import { timesAsMuch } from '../figure.ts'
import type { Moving, Reading } from './measure.ts'
import type { ScriptEnd } from './script-process.ts'
import type { Spent } from './spent.ts'
import type { WatchEnd } from './watch-all.ts'

const mostMiB = 200
const script = 'script, VM by VM'
const whyNotAll =
  'a slot that has become free is empty until the next look, and while the next VM is written into the ledger, frozen and asked for'
const oneAnswer = 'all in one answer'

/** What the script would need for all VMs: its first question, and what each VM costs. */
export function scaled({ vms, script: { requests, seconds, vms: sampled } }: Reading): {
  requests: number
  seconds: number
} {
  return { requests: 1 + ((requests - 1) * vms) / sampled, seconds: (seconds * vms) / sampled }
}

export function readingFigures(reading: Reading): Figure[] {
  const { vms, ours, atOnce } = reading
  const theirs = scaled(reading)
  const of = `${vms.toLocaleString('en')} VMs`
  const note = `the script's is that of ${reading.script.vms} VMs, times ${vms / reading.script.vms}`
  return [
    {
      what: `time to plan ${of}`,
      ours: { value: ours.seconds, unit: 's' },
      theirs: { who: script, value: theirs.seconds, unit: 's' },
      ratio: timesAsMuch(theirs.seconds, ours.seconds, 'times as fast'),
      note,
    },
    {
      what: `requests to plan ${of}`,
      ours: { value: ours.requests, unit: 'requests' },
      theirs: { who: script, value: theirs.requests, unit: 'requests' },
      ratio: timesAsMuch(theirs.requests, ours.requests, 'times as few'),
      goal: { of: 'ours', must: 'be at most', limit: vms / 100 + 20 },
    },
    {
      what: `memory to plan ${of}`,
      ours: { value: ours.peakMiB, unit: 'MiB' },
      theirs: { who: oneAnswer, value: atOnce.peakMiB, unit: 'MiB' },
      ratio: timesAsMuch(ours.peakMiB, atOnce.peakMiB, 'times as much'),
      goal: { of: 'ours', must: 'be at most', limit: mostMiB },
    },
    {
      what: `CPU time to plan ${of}`,
      ours: { value: ours.cpuSeconds, unit: 's' },
      theirs: { who: oneAnswer, value: atOnce.cpuSeconds, unit: 's' },
      ratio: timesAsMuch(ours.cpuSeconds, atOnce.cpuSeconds, 'times as much'),
    },
  ]
}

/** What one VM costs in a run, by a reading of a whole inventory and a run for some of its VMs, which reads it twice. */
export function costsPerVm(reading: Reading | undefined, moving: Moving | undefined): Record<string, number> {
  if (reading === undefined || moving === undefined) return {}
  const inBoth = (whole: number, run: number): number =>
    (2 * whole) / reading.vms + Math.max(0, run - 2 * whole) / moving.vms
  return {
    planSecondsPerVm: reading.ours.seconds / reading.vms,
    cpuSecondsPerVm: inBoth(reading.ours.cpuSeconds, moving.ours.cpuSeconds),
    requestsPerVm: inBoth(reading.ours.requests, moving.ours.requests.all),
  }
}

export function movingFigures(
  { parallel, vms, ours, snapshots, merges }: Moving,
  their: ScriptEnd,
): Figure[] {
  const at = `${parallel} at once`
  const { snapshot = 0, merge = 0 } = ours.seconds
  const each = (snapshot + merge) / vms
  const theirEach = their.seconds / their.vms
  const days = ((theirEach * 10_000) / 86_400).toFixed(1)
  const slots = (kind: string, busyPercent: number): Figure => ({
    what: `slots busy with ${kind}, ${at}`,
    ours: { value: busyPercent, unit: '%' },
    goal: { of: 'ours', must: 'be at least', limit: 95 },
    note: whyNotAll,
  })
  return [
    slots('snapshots', snapshots),
    slots('merges', merges),
    {
      what: `snapshot and merge per VM, ${at}`,
      ours: { value: each, unit: 's' },
      theirs: { who: script, value: theirEach, unit: 's' },
      ratio: timesAsMuch(theirEach, each, 'times as fast'),
      note: `the script would need ${days} days for 10,000 VMs`,
    },
    {
      what: `requests per look, ${at}`,
      ours: { value: ours.requests.ofLooks / ours.requests.looks, unit: 'requests' },
      goal: { of: 'ours', must: 'be at most', limit: 4 },
      note: 'a script that had so many under way would ask for each of them',
    },
    {
      what: `requests of a run for ${vms} of 10,000 VMs, ${at}`,
      ours: { value: ours.requests.all, unit: 'requests' },
      note: `${(ours.requests.looks / (snapshot + merge)).toFixed(1)} looks a second; the script needs ${(their.requests / their.vms).toFixed(0)} for each VM`,
    },
    {
      what: `memory of that run, ${at}`,
      ours: { value: ours.peakMiB, unit: 'MiB' },
      goal: { of: 'ours', must: 'be at most', limit: mostMiB },
    },
  ]
}

export function watchFigures(
  watching: WatchEnd & Spent,
  { jobs, runs }: { jobs: number; runs: number },
): Figure[] {
  const over = `${watching.vms.toLocaleString('en')} VMs`
  const seconds = (what: string, value: number): Figure => ({ what, ours: { value, unit: 's' } })
  return [
    {
      ...seconds(`turn of the agent's loop over ${over}`, watching.turnSeconds),
      note: `${jobs} jobs with ${runs} runs each in the history; it turns every 30 s and when something changes`,
    },
    seconds(`the agent's status, ${over}`, watching.statusSeconds),
    seconds(`the agent's list of ${over}`, watching.vmsSeconds),
    {
      what: `memory of the agent over ${over}`,
      ours: { value: watching.peakMiB, unit: 'MiB' },
      goal: { of: 'ours', must: 'be at most', limit: mostMiB },
    },
  ]
}
