import type { PointView } from '../agent/view.ts'
import type { PointSummary } from '../point/summary.ts'
import type { Look } from './look.ts'
import type { Paint } from './paint.ts'
import { table } from './table.ts'
import { ageWords, pairWords } from './words.ts'

/** The recovery points of a volume, newest first. */
export function renderPoints(points: readonly PointSummary[], paint: Paint): string {
  if (points.length === 0) return 'there is no recovery point on this volume'
  return table(
    ['POINT', 'AGE', 'STATE', 'PROTECTED', 'FAILED', 'LEFT OUT', 'COMPARED', 'NOTE'],
    points.map((point) => [
      point.run,
      point.ageMs === undefined ? '-' : ageWords(point.ageMs),
      paintStatus(point, paint),
      String(point.protected),
      point.failed > 0 ? paint.bad(String(point.failed)) : '0',
      String(point.leftOut),
      point.comparison ?? '-',
      point.why ?? '',
    ]),
  )
}

/** The recovery points that runs have reported, newest first. */
export function renderKnownPoints(points: readonly PointView[], look: Look): string {
  if (points.length === 0) return 'no run of this state directory has made a recovery point yet'
  return table(
    ['POINT', 'JOB', 'AGE', 'STATE', 'PROTECTED', 'FAILED', 'LEFT OUT', 'VOLUMES'],
    points.map(({ run, job, asOf, state, vms, pair }) => [
      run,
      job ?? '-',
      asOf === undefined ? '-' : ageWords(look.now - Date.parse(asOf)),
      paintStatus({ status: state }, look.paint),
      String(vms.protected),
      vms.failed > 0 ? look.paint.bad(String(vms.failed)) : '0',
      String(vms.leftOut),
      pairWords(pair),
    ]),
    look.columns,
  )
}

function paintStatus({ status }: Pick<PointSummary, 'status'>, paint: Paint): string {
  if (status === 'ready') return paint.good(status)
  if (status === 'overwritten') return paint.faint(status)
  return status === 'unfinished' ? paint.doubtful(status) : paint.bad(status)
}
