import type { RunProgress, StatusView } from '../agent/view.ts'
import { cut } from './cut.ts'
import type { Look } from './look.ts'
import { renderStanding } from './render-jobs.ts'
import { renderLastRuns } from './render-runs.ts'
import { nextEnds, renderBehind } from './render-vms.ts'
import { ageWords, clockWords, durationWords, pairWords, timeWords } from './words.ts'

/** On a terminal with a height: so many VMs behind their RPO, and so many runs. */
const shownAtOnce = { behind: 8, runs: 6 }

/** All that one look should show, the most urgent first. With `rows` and `columns` it overruns neither. */
export function renderStatus(status: StatusView, look: Look): string {
  const parts = [
    headOf(status, look),
    ...status.running.map((run) => renderRunning(run, look)),
    status.jobs.length === 0 ? 'no job is configured' : renderStanding(status.jobs, look),
    rpoOf(status, look),
    lastOf(status, look),
  ]
  const lines = parts
    .filter((part) => part !== '')
    .flatMap((part, index) => (index === 0 ? part : ['', part]))
  return fitted(lines.join('\n').split('\n'), look).join('\n')
}

function headOf(status: StatusView, look: Look): string {
  const { paint, now } = look
  const up = ageWords(now - Date.parse(status.startedAt))
  const { owed, outbox, troubles } = status
  const failing = outbox.failing === 0 ? '' : `, ${outbox.failing} of them failed before`
  return [
    `${paint.strong(`vmbackup ${status.version}`)}, running for ${up}, ${timeWords(look)}`,
    ...troubles.map(({ matter, since, what }) =>
      paint.bad(`! ${matter}, since ${clockWords(since, look)}: ${what}`),
    ),
    ...(owed === 0
      ? []
      : [
          paint.doubtful(
            `! ${owed} ${owed === 1 ? 'thing is' : 'things are'} owed: vmbackup recover --dry-run`,
          ),
        ]),
    ...(outbox.waiting === 0
      ? []
      : [paint.doubtful(`! ${outbox.waiting} not sent yet (mail, webhook, engine)${failing}`)]),
  ].join('\n')
}

function renderRunning(run: RunProgress, { now, paint }: Look): string {
  const words = [
    paint.strong(run.job),
    pairWords(run.pair),
    run.step === undefined ? 'starting' : run.step,
    ...(run.stepStartedAt === undefined ? [] : [durationWords(now - Date.parse(run.stepStartedAt))]),
    ...(run.of === undefined ? [] : [`${run.done ?? 0}/${run.of} VMs`]),
    `run ${durationWords(now - Date.parse(run.startedAt))}`,
    ...(run.leftMs === undefined ? [] : [leftWords(run.leftMs)]),
  ]
  const waiting = run.waiting === undefined ? [] : [`  waiting for ${run.waiting}`]
  return [`> ${words.join('  ')}`, ...waiting].join('\n')
}

function leftWords(ms: number): string {
  return ms < 60_000 ? 'less than a minute left' : `about ${ageWords(ms)} left`
}

function rpoOf(status: StatusView, look: Look): string {
  const { vms, behind } = status
  const { paint } = look
  if (vms.ok + vms.warning + vms.breach + vms.none === 0) return ''
  const counts = [
    `${vms.ok} in time`,
    ...(vms.warning === 0 ? [] : [paint.doubtful(`${vms.warning} about to break`)]),
    ...(vms.breach === 0 ? [] : [paint.bad(`${vms.breach} broken`)]),
    ...(vms.none === 0 ? [] : [paint.faint(`${vms.none} without`)]),
  ]
  const line = `RPO of VMs: ${counts.join(', ')}`
  if (behind.length === 0) return line
  const shown = look.rows === undefined ? behind : behind.slice(0, shownAtOnce.behind)
  const more = vms.warning + vms.breach - shown.length
  return [
    `${line}\n`,
    renderBehind(shown, nextEnds(status, look.now), look),
    ...(more > 0 ? [`and ${more} more: vmbackup vms`] : []),
  ].join('\n')
}

function lastOf({ lastRuns }: StatusView, look: Look): string {
  return renderLastRuns(look.rows === undefined ? lastRuns : lastRuns.slice(0, shownAtOnce.runs), look)
}

function fitted(lines: readonly string[], { columns = Infinity, rows = Infinity }: Look): string[] {
  const kept = lines.length <= rows ? lines : [...lines.slice(0, Math.max(1, rows - 1)), '…']
  return kept.map((line) => cut(line, columns))
}
