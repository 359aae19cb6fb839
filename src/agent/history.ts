import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Failure } from '../model/errors.ts'
import { known } from '../model/known.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import { ledgerIn, overwrittenBy } from '../run/keeping.ts'
import type { Report } from '../run/report.ts'
import { pairView } from './pair-view.ts'
import { isoTime } from './progress.ts'
import type { PointView, RunSummary } from './view.ts'

/** What earlier runs have left in a state directory for looking at. Every question reads anew. Throws Failure when it cannot be read. */
export interface History {
  /** Newest first; of those that ended after `from` and up to `to` (epoch milliseconds). */
  runs(query: { job?: string; limit: number; from?: number; to?: number }): RunSummary[]
  /** By its whole name. */
  report(run: string): Report | undefined
  /** Newest first. */
  points(limit: number): PointView[]
  /**
   * The run that was the last to write over the pair's secondary, with its report if it lived to write one: what that does not claim
   * is not there.
   */
  lastWriter(pair: Pair): { run: string; report?: Report } | undefined
  /** That run alone: cheap enough to be asked at every turn. */
  writer(pair: Pair): string | undefined
  /** How much is owed for a pair, or for all together. */
  owed(pair?: Pair): number
}

/** What is shown of a report: it is read once, and not kept, since with 10,000 VMs it has some megabytes. */
interface Kept {
  summary: RunSummary
  point: Pick<PointView, 'asOf' | 'manifest'> | undefined
}

type Row = Record<string, unknown>

/** The history of a state directory; empty where there is none. */
export function historyIn(stateDir: string): History {
  const file = ledgerIn(stateDir)
  const ask = (sql: string, ...values: (string | number)[]): Row[] => {
    if (!existsSync(file)) return []
    let db: DatabaseSync | undefined
    try {
      // Only a run may roll back what another one was writing when it died.
      db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
      return db.prepare(sql).all(...values)
    } catch (cause) {
      throw new Failure(`cannot read the history in ${file}`, {
        cause,
        hint: 'a run may have died while it wrote: vmbackup recover puts that right',
      })
    } finally {
      db?.close()
    }
  }
  const kept = new Map<string, Kept>()
  /** Newest first, each read when it is come to; a report that was written stays as it is. */
  function* inShort(): Iterable<Kept> {
    const ids = ask('SELECT id FROM run ORDER BY startedAt DESC, id DESC').map(({ id }) => String(id))
    const there = new Set(ids)
    for (const id of kept.keys()) if (!there.has(id)) kept.delete(id)
    for (const id of ids) {
      const one = kept.get(id) ?? keptOf(report(id))
      if (one === undefined) continue
      kept.set(id, one)
      yield one
    }
  }
  const newest = (limit: number, isMeant: (one: Kept) => boolean): Kept[] => {
    const found: Kept[] = []
    for (const one of limit > 0 ? inShort() : []) {
      if (isMeant(one)) found.push(one)
      if (found.length === limit) break
    }
    return found
  }
  const report = (run: string): Report | undefined => {
    const [row] = ask('SELECT report FROM run WHERE id = ?', run)
    return row === undefined ? undefined : (JSON.parse(String(row['report'])) as Report)
  }
  const writer = (pair: Pair): string | undefined => {
    const [row] = ask('SELECT value FROM fact WHERE pair = ? AND name = ?', nameOfPair(pair), overwrittenBy)
    return row === undefined ? undefined : String(row['value'])
  }
  return {
    runs({ job, limit, from, to }) {
      const after = from === undefined ? '' : isoTime(from)
      const upTo = to === undefined ? '9999' : isoTime(to)
      const isMeant = ({ summary: { job: by, finishedAt } }: Kept): boolean =>
        (job === undefined || by === job) && finishedAt > after && finishedAt <= upTo
      return newest(limit, isMeant).map(({ summary }) => summary)
    },
    report,
    points(limit) {
      const rows = ask('SELECT value FROM fact WHERE name = ?', overwrittenBy)
      const writers = new Set(rows.map(({ value }) => value))
      return newest(limit, ({ point }) => point !== undefined).map((one) =>
        pointOf(one, writers.has(one.summary.run)),
      )
    },
    writer,
    lastWriter(pair) {
      const run = writer(pair)
      if (run === undefined) return undefined
      const found = report(run)
      return found === undefined ? { run } : { run, report: found }
    },
    owed(pair) {
      const [row] = ask(
        "SELECT count(*) AS owed FROM obligation WHERE ?1 = '' OR pair = ?1",
        pair === undefined ? '' : nameOfPair(pair),
      )
      return Number(row?.['owed'] ?? 0)
    },
  }
}

function keptOf(report: Report | undefined): Kept | undefined {
  if (report === undefined) return undefined
  const { vms, manifest, overwrote } = report
  const [asOf] = vms.flatMap((vm) => (vm.state === 'protected' ? [vm.asOf.earliest] : [])).toSorted()
  return { summary: summaryOf(report), point: overwrote ? known({ asOf, manifest }) : undefined }
}

/** `last`: its run was the last to write over the pair's secondary. */
function pointOf({ summary: { run, job, pair, finishedAt, vms }, point }: Kept, last: boolean): PointView {
  const whole = point?.manifest !== undefined
  return {
    run,
    ...(job === undefined ? {} : { job }),
    pair,
    state: whole ? (last ? 'ready' : 'overwritten') : 'unfinished',
    madeAt: finishedAt,
    vms,
    ...point,
  }
}

/** What a report says, in short. */
export function summaryOf(report: Report): RunSummary {
  const many = (state: string): number => report.vms.filter((vm) => vm.state === state).length
  return {
    run: report.run,
    ...(report.job === undefined ? {} : { job: report.job }),
    pair: pairView(report),
    outcome: report.outcome,
    startedAt: report.startedAt,
    finishedAt: report.finishedAt,
    vms: { protected: many('protected'), failed: many('failed'), leftOut: many('left out') },
    ...(report.error === undefined ? {} : { why: report.error.message }),
  }
}
