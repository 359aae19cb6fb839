import type { PointSummary } from '../point/summary.ts'
import type { Paint } from './paint.ts'
import { table } from './table.ts'
import { ageWords } from './words.ts'

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

function paintStatus({ status }: PointSummary, paint: Paint): string {
  if (status === 'ready') return paint.good(status)
  if (status === 'overwritten') return paint.faint(status)
  return status === 'unfinished' ? paint.doubtful(status) : paint.bad(status)
}
