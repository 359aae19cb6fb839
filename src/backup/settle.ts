import { dirname, join } from 'node:path'
import { EngineError, Failure } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { VmRef } from '../model/vm.ts'
import { type FoundPoint, listPoints } from '../point/points.ts'
import type { Obligation, Owed } from '../run/obligation.ts'
import type { Leave, Run } from '../run/run.ts'
import { until } from '../run/until.ts'
import { announceInterrupted } from './announce.ts'
import { restoreBandwidth } from './bandwidth.ts'
import { mergeSnapshots } from './merge-snapshots.ts'
import type { BackupOptions } from './options.ts'
import { dropOverlays, exists, hasOverlay } from './overlays.ts'
import { stopReplication } from './replicate.ts'
import { type Ends, openVolume } from './volumes.ts'

type Kind = Owed['what']['kind']

/** A client of Gluster may show a removed file for a second; the engine ends its job after the removal. */
const goneMs = 10_000

/** Guests first; then newest first, by what the story makes last. The session stops before anything is merged: a merge writes into bases. */
const order: readonly Kind[] = [
  'freeze',
  'mount',
  'session',
  'snapshot',
  'overlays',
  'bandwidth',
  'job',
  'event',
  'unknown',
]

/** Settles all that is owed, whoever owed it; looks first, so that repeating is harmless. What fails is told by `leave`. */
export async function settle(
  run: Run,
  site: Site,
  options: BackupOptions,
  owed: readonly Owed[],
  leave: Leave,
): Promise<void> {
  for (const kind of order) {
    const some = owed.filter((one) => one.what.kind === kind)
    if (some.length > 0) await settleKind(run, site, options, kind, some, leave)
  }
}

async function settleKind(
  run: Run,
  site: Site,
  options: BackupOptions,
  kind: Kind,
  some: readonly Owed[],
  leave: Leave,
): Promise<void> {
  switch (kind) {
    case 'session':
      return attempt(run, some, leave, () => stopReplication(run, site, some))
    case 'snapshot':
      return attempt(run, some, leave, () =>
        mergeSnapshots(run, site, some, options, { merged() {}, stuck: (one, _vm, why) => leave(one, why) }),
      )
    case 'overlays':
      return settleOverlays(run, site, some, leave)
    case 'bandwidth':
      return attempt(run, some, leave, () => restoreBandwidth(run, site, some))
    case 'freeze':
    case 'mount':
      for (const one of some) await attempt(run, [one], leave, () => settleOne(run, site, one))
      return
    case 'unknown':
      for (const one of some) leave(one, 'use the version of vmbackup that wrote it')
      return
    case 'job':
      return tellEngine(run, site, some, leave)
    case 'event':
      return attempt(run, some, leave, () => tellOfInterrupted(run, site, some))
    default:
      return kind satisfies never
  }
}

async function tellOfInterrupted(run: Run, site: Site, some: readonly Owed[]): Promise<void> {
  const events = some.flatMap(({ what, ...one }) => (what.kind === 'event' ? [{ ...one, what }] : []))
  await announceInterrupted(run, site, events)
  for (const one of events) run.strike(one)
}

/** While the engine is down, each try waits for its restart: the first one speaks for all. */
async function tellEngine(run: Run, site: Site, some: readonly Owed[], leave: Leave): Promise<void> {
  let away: unknown
  for (const one of some) {
    if (away !== undefined) {
      leave(one, away)
      continue
    }
    const left: Leave = (owed, error) => {
      if (isAway(error)) away = error
      leave(owed, error)
    }
    await attempt(run, [one], left, () => settleOne(run, site, one))
  }
}

function isAway(error: unknown): boolean {
  return error instanceof EngineError && (error.status === undefined || error.status >= 500)
}

async function settleOne(run: Run, site: Site, { what, ...owed }: Owed): Promise<void> {
  if (what.kind === 'freeze') await site.hypervisor.thaw(what.vm, run.signal)
  if (what.kind === 'mount') await unmountOwn(run, site, what)
  if (what.kind === 'job') await closeJobs(run, site, what.text, false)
  run.strike({ what, ...owed })
}

async function unmountOwn(run: Run, site: Site, { dir, on }: Obligation & { kind: 'mount' }): Promise<void> {
  if (dirname(dir) !== join(run.stateDir, 'mnt')) {
    throw new Failure(`${dir} is no mount point of the state directory ${run.stateDir}`, {
      hint: 'look whether something is mounted there, unmount it by hand, and strike the entry: vmbackup recover --waive',
    })
  }
  if (on === run.machine.id) return site.replication.closeVolume(dir, run.signal)
  const [name] = on.split('/')
  throw new Failure(`it was mounted on ${name}: only vmbackup on that machine can see whether it still is`, {
    hint: `run \`vmbackup recover\` on ${name}`,
  })
}

/** Ends every job of the engine that carries the text. */
export async function closeJobs(run: Run, site: Site, text: string, succeeded: boolean): Promise<void> {
  for (const id of await site.hypervisor.findJobs(text, run.signal)) {
    await site.hypervisor.closeJob(id, succeeded, run.signal)
  }
}

/**
 * Overlays whose snapshot is not merged stay where they are: the primary still uses these files, and a file that is deleted
 * on the secondary only is never sent again (Gluster issue 3621).
 */
async function settleOverlays(run: Run, site: Site, some: readonly Owed[], leave: Leave): Promise<void> {
  const isUnmerged = unmergedAmong(run.owed())
  const free: Owed[] = []
  for (const one of some) {
    if (one.what.kind === 'overlays' && isUnmerged(one.run, one.what.vm))
      leave(one, 'kept until its snapshot is merged on the primary')
    else free.push(one)
  }
  if (free.length === 0) return
  await attempt(run, free, leave, async () => {
    await using primary = await openVolume(run, site, 'primary')
    await using secondary = await openVolume(run, site, 'secondary')
    const ends = { primary, secondary }
    const points = await listPoints(secondary.dir)
    for (const one of free) {
      const needing = pointOn(points, one)
      if (needing === undefined) await attempt(run, [one], leave, () => dropOwed(run, site, ends, one))
      else leave(one, `kept: recovery point ${needing} stands on it until the next one replaces it`)
    }
  })
}

/** Tells whether the merge of the snapshot that a run took of a VM is still owed: it is struck when it was seen to have ended. */
export function unmergedAmong(owed: readonly Owed[]): (run: string, vm: VmRef) => boolean {
  const keys = owed.flatMap(({ run, what }) => (what.kind === 'snapshot' ? [`${run} ${what.vm.id}`] : []))
  const unmerged = new Set(keys)
  return (run, { id }) => unmerged.has(`${run} ${id}`)
}

/** The whole point, if any, whose claim of the VM has one of these overlays in its chains. */
function pointOn(points: readonly FoundPoint[], { what }: Owed): string | undefined {
  if (what.kind !== 'overlays') return undefined
  const overlays = new Set(what.overlays.map(({ overlay }) => overlay))
  return points.find(
    (one) =>
      one.status === 'ready' &&
      one.point.vms.some((vm) =>
        vm.disks.some(({ chain }) => chain?.some(({ volume }) => overlays.has(volume))),
      ),
  )?.run
}

/**
 * Removes the overlays of one entry from the secondary and strikes it. Whatever the engine says: what the primary still has
 * is not removed, and TimedOut is thrown.
 */
export async function dropOwed(run: Run, site: Site, ends: Ends, owed: Owed): Promise<void> {
  if (owed.what.kind !== 'overlays') return
  const { layout } = site.hypervisor
  const { domain, overlays, vm } = owed.what
  // On an empty or foreign volume every overlay is "gone", and the secondary may then hold the only copy.
  if (!(await exists(join(ends.primary.dir, domain)))) {
    throw new Failure(
      `the primary volume has no storage domain ${domain}: nothing of it is removed on the secondary`,
      {
        hint: 'look whether this is the volume that the domain lay on',
      },
    )
  }
  await until(
    {
      what: `the overlays of VM ${vm.name} to be gone from the primary`,
      clock: run.clock,
      intervalMs: 500,
      deadlineMs: goneMs,
      signal: run.signal,
      hint: 'look at the VM in the portal: its disks still have the snapshot that was to be merged',
    },
    async () => ((await hasOverlay(ends.primary, layout, domain, overlays)) ? undefined : true),
  )
  await dropOverlays(ends.secondary, layout, domain, overlays)
  run.strike(owed)
}

/** Rule 5: what fails stays open and is told; the rest is tried all the same. */
async function attempt(
  run: Run,
  some: readonly Owed[],
  leave: Leave,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act()
  } catch (error) {
    const open = new Set(run.owed().map((one) => one.id))
    for (const one of some) if (open.has(one.id)) leave(one, error)
  }
}
