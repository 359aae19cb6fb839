import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Failure } from '../model/errors.ts'
import { known } from '../model/known.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import { ledgerIn, overwrittenBy } from '../run/keeping.ts'
import type { Report } from '../run/report.ts'
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

// Only what is shown is taken out of a report: with 10,000 VMs one has some megabytes.
const count = (state: string): string =>
  `(SELECT count(*) FROM json_each(report, '$.vms') WHERE json_extract(value, '$.state') = '${state}')`
const summary = `id, startedAt, pair,
  json_extract(report, '$.job') AS job,
  json_extract(report, '$.outcome') AS outcome,
  json_extract(report, '$.finishedAt') AS finishedAt,
  json_extract(report, '$.primary') AS "primary",
  json_extract(report, '$.secondary.host') AS host,
  json_extract(report, '$.secondary.volume') AS volume,
  json_extract(report, '$.error.message') AS why,
  json_extract(report, '$.overwrote') AS overwrote,
  json_extract(report, '$.manifest') AS manifest,
  (SELECT min(json_extract(value, '$.asOf.earliest')) FROM json_each(report, '$.vms')) AS asOf,
  ${count('protected')} AS protected, ${count('failed')} AS failed, ${count('left out')} AS leftOut`

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
  const report = (run: string): Report | undefined => {
    const [row] = ask('SELECT report FROM run WHERE id = ?', run)
    return row === undefined ? undefined : (JSON.parse(String(row['report'])) as Report)
  }
  const writer = (pair: Pair): string | undefined => {
    const [row] = ask('SELECT value FROM fact WHERE pair = ? AND name = ?', nameOfPair(pair), overwrittenBy)
    return row === undefined ? undefined : String(row['value'])
  }
  return {
    runs: ({ job, limit, from, to }) =>
      ask(
        `SELECT ${summary} FROM run WHERE (?1 = '' OR json_extract(report, '$.job') = ?1)
          AND json_extract(report, '$.finishedAt') > ?3 AND json_extract(report, '$.finishedAt') <= ?4
        ORDER BY startedAt DESC, id DESC LIMIT ?2`,
        job ?? '',
        limit,
        from === undefined ? '' : isoTime(from),
        to === undefined ? '9999' : isoTime(to),
      ).map(runIn),
    report,
    points: (limit) => pointsIn(ask, limit),
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

function pointsIn(ask: (sql: string, ...values: (string | number)[]) => Row[], limit: number): PointView[] {
  const writers = new Map(
    ask('SELECT pair, value FROM fact WHERE name = ?', overwrittenBy).map((row) => [
      row['pair'],
      row['value'],
    ]),
  )
  const rows = ask(
    `SELECT ${summary} FROM run WHERE json_extract(report, '$.overwrote') ORDER BY startedAt DESC, id DESC LIMIT ?`,
    limit,
  )
  return rows.map((row) => {
    const { run, job, pair, finishedAt, vms } = runIn(row)
    const last = writers.get(row['pair']) === run
    const whole = row['manifest'] !== null
    return {
      run,
      ...(job === undefined ? {} : { job }),
      pair,
      state: whole ? (last ? 'ready' : 'overwritten') : 'unfinished',
      ...(row['asOf'] === null ? {} : { asOf: String(row['asOf']) }),
      madeAt: finishedAt,
      vms,
      ...(whole ? { manifest: String(row['manifest']) } : {}),
    }
  })
}

function runIn(row: Row): RunSummary {
  const text = (name: string): string => String(row[name])
  const textIf = (name: string): string | undefined => (row[name] === null ? undefined : text(name))
  const number = (name: string): number => Number(row[name])
  return known({
    run: text('id'),
    job: textIf('job'),
    pair: { primary: text('primary'), secondary: { host: text('host'), volume: text('volume') } },
    outcome: text('outcome'),
    startedAt: text('startedAt'),
    finishedAt: text('finishedAt'),
    vms: { protected: number('protected'), failed: number('failed'), leftOut: number('leftOut') },
    why: textIf('why'),
  })
}

/** What a report says, in short. */
export function summaryOf(report: Report): RunSummary {
  const many = (state: string): number => report.vms.filter((vm) => vm.state === state).length
  return {
    run: report.run,
    ...(report.job === undefined ? {} : { job: report.job }),
    pair: { primary: report.primary, secondary: report.secondary },
    outcome: report.outcome,
    startedAt: report.startedAt,
    finishedAt: report.finishedAt,
    vms: { protected: many('protected'), failed: many('failed'), leftOut: many('left out') },
    ...(report.error === undefined ? {} : { why: report.error.message }),
  }
}
