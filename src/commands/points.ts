import type { Asked } from '../cli/asked.ts'
import { renderPoints } from '../cli/render-points.ts'
import { renderVerification } from '../cli/render-verification.ts'
import { Failure } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import { paceOf } from '../point/pace.ts'
import { type FoundPoint, listPoints } from '../point/points.ts'
import { summaryOf } from '../point/summary.ts'
import { type Verification, verifyPoint } from '../point/verify.ts'
import { systemClock } from '../run/clock.ts'
import { openRecoverySite, type RecoverySite } from '../site.ts'
import type { Terminal } from './terminal.ts'

/** Lists the recovery points on a secondary volume; returns the exit code. */
export async function points(asked: Asked & { kind: 'points' }, terminal: Terminal): Promise<number> {
  await using site = await openRecoverySite(asked.at, terminal.signal())
  const found = await listPoints(site.dir)
  const summaries = found.map((one) => summaryOf(one, new Date()))
  terminal.stdout.write(
    asked.json
      ? `${JSON.stringify({ version: 1, points: summaries }, null, 2)}\n`
      : `${renderPoints(summaries, terminal.paintOut)}\n`,
  )
  return 0
}

/** Proves or refutes what manifests claim; returns the exit code: 0 when every claim holds, else 1. */
export async function verify(asked: Asked & { kind: 'verify' }, terminal: Terminal): Promise<number> {
  await using site = await openRecoverySite(asked.at, terminal.signal())
  const verifications: Verification[] = []
  for (const found of pick(await listPoints(site.dir), asked.points)) {
    verifications.push(await verifyOne(found, site, asked, terminal))
  }
  terminal.stdout.write(
    asked.json
      ? `${JSON.stringify({ version: 1, points: verifications }, null, 2)}\n`
      : `${verifications.map((one) => renderVerification(one, terminal.paintOut)).join('\n\n')}\n`,
  )
  return verifications.every(({ verdict }) => verdict === 'proved') ? 0 : 1
}

async function verifyOne(
  found: FoundPoint,
  site: RecoverySite,
  asked: Asked & { kind: 'verify' },
  terminal: Terminal,
): Promise<Verification> {
  const refuted = (why: string): Verification => ({
    run: found.run,
    verdict: 'refuted',
    flaws: [why],
    vms: [],
    bytesRead: 0,
  })
  if (found.status === 'unreadable') return refuted(found.why)
  if (found.status === 'overwritten')
    return refuted(`its images have been overwritten since by run ${found.overwrittenBy}`)
  if (found.status === 'unfinished')
    return refuted('the run that began it did not finish it, or is still at work: nothing is claimed')
  return verifyPoint(found.point, {
    volume: site,
    format: site.format,
    parallel: asked.parallel,
    pace: paceOf(asked.bytesPerSecond, systemClock),
    signal: terminal.signal(),
    content: asked.content,
    told: ({ name, verdict }, done, of) => {
      if (!asked.quiet) terminal.stderr.write(`${name}: ${verdict} (${done}/${of})\n`)
    },
  })
}

/** The points of these names, or the newest. A name may be cut short as long as it fits one. */
function pick(found: readonly FoundPoint[], names: readonly string[]): FoundPoint[] {
  const [newest] = found
  if (newest === undefined) {
    throw new Failure('there is no recovery point on this volume', {
      hint: 'is it the secondary volume of a vmbackup run, and has one run to its end?',
    })
  }
  if (names.length === 0) return [newest]
  return names.map((name) => {
    const fitting = found.filter(({ run }) => run.startsWith(name))
    if (fitting.length === 1 && fitting[0] !== undefined) return fitting[0]
    throw new Failure(
      `${fitting.length === 0 ? 'no' : 'more than one'} recovery point is called ${oneLine(name, 60)}`,
      {
        hint: 'vmbackup points lists them',
      },
    )
  })
}
