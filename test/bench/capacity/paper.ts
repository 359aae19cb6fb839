import { type Costs, type Estate, type Ground, type Knobs, vmsOf } from './estate.ts'

/** The phases of one run of one volume, in seconds, in their order. */
interface Phases {
  plan: number
  snapshot: number
  replicate: number
  compare: number
  merge: number
}

/** What one volume's run costs when all volumes of all engines are run one after the other without a pause. */
export interface Outlook {
  phases: Phases
  /** From one recovery point to the next. */
  cycleSeconds: number
  /** The oldest that the newest recovery point ever gets: just before the next one is complete. */
  rpoSeconds: number
  /** From a VM's snapshot to the end of its merge, for the unluckiest VM. */
  overlaySeconds: number
  /** How busy each of these is, from 0 to 1. */
  busy: Record<
    'snapshot slots' | 'merge slots' | 'link' | 'reads of replication' | "one agent's core",
    number
  >
  requestsPerSecond: number
}

const daySeconds = 86_400
/** Those of the settings with which oVirt makes its volumes. */
const shardBytes = 64 * 1024 ** 2
/** For the times of the last writes before and after, and for the comparison. */
const looksAtPieces = 3

/**
 * By arithmetic alone: how long a run takes, and what it is that takes so long. A run repeats what changed while the run before it was under
 * way, so that cycle time and changed bytes depend on each other: the smallest cycle that keeps up.
 */
export function onPaper(estate: Estate, ground: Ground, costs: Costs, knobs: Knobs): Outlook {
  let cycleSeconds = 0
  let phases = phasesOf(estate, ground, costs, knobs, cycleSeconds)
  for (let round = 0; round < 200; round++) {
    const next = total(phases)
    if (Math.abs(next - cycleSeconds) < 1e-6) break
    cycleSeconds = next
    phases = phasesOf(estate, ground, costs, knobs, cycleSeconds)
  }
  const vms = vmsOf(estate)
  const changed = changedIn(estate, cycleSeconds)
  const share = (seconds: number) => seconds / cycleSeconds
  const linkSeconds = (changed * estate.volumes * estate.engines) / ground.linkBytesPerSecond
  return {
    phases,
    cycleSeconds,
    rpoSeconds: 2 * cycleSeconds - phases.plan,
    overlaySeconds:
      phases.replicate + phases.compare + Math.max(phases.snapshot + ground.mergeSeconds, phases.merge),
    busy: {
      'snapshot slots': share(phases.snapshot),
      'merge slots': share(phases.merge),
      link: share(linkSeconds),
      'reads of replication': share(bytesRead(estate, ground, changed) / ground.readBytesPerSecond),
      "one agent's core": share(vms * estate.volumes * costs.cpuSecondsPerVm),
    },
    requestsPerSecond: (vms * estate.volumes * costs.requestsPerVm) / cycleSeconds,
  }
}

function phasesOf(estate: Estate, ground: Ground, costs: Costs, knobs: Knobs, cycleSeconds: number): Phases {
  const vms = vmsOf(estate)
  const changed = changedIn(estate, cycleSeconds)
  // All volumes of all engines share the link.
  const sending = (changed * estate.volumes * estate.engines) / ground.linkBytesPerSecond
  const reading = bytesRead(estate, ground, changed) / ground.readBytesPerSecond
  const replicate = costs.cycleSeconds + Math.max(sending, reading)
  const snapshot = (vms / knobs.snapshotsAtOnce) * ground.snapshotSeconds
  const images = (vms * estate.disksPerVm * costs.compareSecondsPerImage) / knobs.imagesAtOnce
  const compare = images + looksAtPieces * piecesOf(estate) * costs.lookSecondsPerPiece
  return {
    plan: vms * costs.planSecondsPerVm,
    snapshot,
    replicate,
    compare,
    merge: mergeSeconds(estate, ground, knobs, snapshot, replicate + compare),
  }
}

/** An overlay holds what its guest wrote while it lived: the oldest is merged first. */
function mergeSeconds(
  estate: Estate,
  ground: Ground,
  knobs: Knobs,
  snapshotSeconds: number,
  between: number,
): number {
  const turns = vmsOf(estate) / knobs.mergesAtOnce
  const writtenPerSecond =
    (estate.bytes / estate.engines / estate.vmsPerEngine) * (estate.changedPerDay / daySeconds)
  const perSecondOfLife = writtenPerSecond / ground.mergeBytesPerSecond
  // Each turn takes longer by what was written during all turns before it.
  let done = 0
  for (let turn = 0; turn < Math.floor(turns); turn++) {
    const age = snapshotSeconds * (1 - turn / turns) + between + done
    done += ground.mergeSeconds + perSecondOfLife * age
  }
  return done + (turns % 1) * ground.mergeSeconds
}

function changedIn({ bytes, engines, volumes, changedPerDay }: Estate, seconds: number): number {
  return (bytes / engines / volumes) * changedPerDay * (seconds / daySeconds)
}

/** rsync reads a file that has changed in full, at both ends; with shards only the shards that have changed. */
function bytesRead(estate: Estate, { readForChanged }: Ground, changed: number): number {
  const whole = estate.bytes / estate.engines / estate.volumes
  return estate.sharded ? Math.min(whole, changed * readForChanged) : whole
}

function piecesOf({ bytes, engines, volumes, sharded }: Estate): number {
  return sharded ? bytes / engines / volumes / shardBytes : 0
}

function total(phases: Phases): number {
  return Object.values(phases).reduce((sum, seconds) => sum + seconds, 0)
}
