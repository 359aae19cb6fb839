import { Failure, messageOf, saidNo } from '../model/errors.ts'
import type { Observation } from '../model/hypervisor.ts'
import type { Site } from '../model/site.ts'
import type { Vm } from '../model/vm.ts'
import { conveyor } from '../run/conveyor.ts'
import type { Owed } from '../run/obligation.ts'
import type { Run } from '../run/run.ts'
import { freezeGuests } from './freeze-guests.ts'
import { newTag, snapshotDescription, tagPrefix } from './names.ts'
import { endedOf, jobOf, namesOf, volumeOf } from './observing.ts'
import type { BackupOptions } from './options.ts'
import { allOverlaysOf, type BackupPlan, leadOf, snapshotsOf, type VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

type SnapshotPlan = VmPlan & { way: 'snapshot' }

/** The newest request for a VM's snapshot. */
interface Asked {
  /** Of all requests, the newest last: which of them the engine accepted is not known. */
  tags: string[]
  /** Of the first request: what was written before is in the snapshot, whichever of them the engine accepted. */
  firstAt: number
  /** Of the newest, or when its answer was given up. */
  at: number
  /** Set when no answer came: the engine may have accepted it all the same. */
  lost?: string
}

const notAsked: Asked = { tags: [], firstAt: 0, at: 0 }
const mostTries = 2

const isOf = (tags: readonly string[], tag: string | undefined): boolean =>
  tag !== undefined && tags.includes(tag)

/** A request that lost its answer may still be on its way into the engine: absence counts after so long. */
const lostRequestMs = 10_000

/**
 * Freezes the disks of every running VM of the plan that this run leads under overlays that the ledger knows by name; what fails is a
 * verdict on that VM alone. When it returns, each snapshot is complete or its VM has failed.
 */
export async function takeSnapshots(
  run: Run,
  site: Site,
  plan: BackupPlan,
  options: BackupOptions,
  verdicts: Verdicts,
): Promise<void> {
  const vms = snapshotsOf(plan).filter((vm) => leadOf(vm, run.id) === run.id && !verdicts.failed(vm.id))
  const asked = new Map<string, Asked>()
  const frozenByEngine = new Set<string>()
  const askedTwice = new Set<string>()
  await using guests = freezeGuests(run, site, options)
  const description = snapshotDescription(run.id)
  let done = 0

  const begin = async (vm: SnapshotPlan): Promise<void> => {
    refuseFailed(vm)
    const notFrozen = await guests.freeze(vm)
    if (notFrozen !== undefined && options.freeze === 'require') {
      throw new Failure(`its guest could not be frozen: ${notFrozen}`)
    }
    const entries = oweFor(vm)
    try {
      await ask(vm)
    } catch (error) {
      if (saidNo(error)) for (const entry of entries) run.strike(entry)
      throw error
    }
  }

  const oweFor = (vm: SnapshotPlan): Owed[] => {
    const owed = { vm: { id: vm.id, name: vm.name }, domain: plan.domain.id }
    const shared = vm.shared === undefined ? {} : { shared: true as const }
    return [
      run.owe({ kind: 'overlays', ...owed, overlays: vm.overlays }),
      run.owe({ kind: 'snapshot', ...owed, overlays: allOverlaysOf(vm), description, ...shared }),
    ]
  }

  const refuseFailed = ({ id }: SnapshotPlan): void => {
    if (verdicts.failed(id)) throw new Failure('it has failed in another run of the job')
  }

  /** Asks the engine, once more if it was asked already. Throws when it says no; that no answer comes is noted. */
  const ask = async (vm: SnapshotPlan): Promise<void> => {
    const { id, name } = vm
    const overlays = allOverlaysOf(vm)
    const at = run.clock.now()
    const { firstAt = at, tags = [] } = asked.get(id) ?? {}
    const tag = newTag(run)
    const request: Asked = { tags: [...tags, tag], at, firstAt }
    asked.set(id, request)
    try {
      await site.hypervisor.takeSnapshot({ id, name }, { description, overlays }, tag, run.signal)
    } catch (error) {
      run.signal.throwIfAborted()
      if (saidNo(error)) throw error
      request.lost = messageOf(error)
      request.at = run.clock.now()
    }
  }

  /** True when a request had no answer and nothing came of it. */
  const isLost = (vm: SnapshotPlan, seen: Observation): boolean => {
    const { tags, at, lost } = asked.get(vm.id) ?? notAsked
    return (
      lost !== undefined && run.clock.now() - at > lostRequestMs && !isUnderWay(vm, seen, description, tags)
    )
  }

  const askAgain = async (vm: SnapshotPlan): Promise<void> => {
    const { lost } = asked.get(vm.id) ?? {}
    // A first snapshot that came and went has had the guest thawed by its host.
    await guests.thaw(vm)
    askedTwice.add(vm.id)
    // A no may mean that the first request has arrived after all: the next looks tell.
    await ask(vm).catch((error: unknown) => {
      run.signal.throwIfAborted()
      const request = asked.get(vm.id)
      if (request !== undefined) request.lost = lost ?? messageOf(error)
    })
  }

  const verdictOn = (vm: SnapshotPlan, seen: Observation): string | 'taken' | undefined => {
    const { tags, at, lost } = asked.get(vm.id) ?? notAsked
    const verdict = snapshotState(vm, seen.vms.get(vm.id), description, tags, seen)
    if (seen.events.some((one) => isOf(tags, one.tag) && one.meaning === 'guest frozen'))
      frozenByEngine.add(vm.id)
    if (verdict !== undefined) return verdict
    if (isLost(vm, seen)) return lost
    if (run.clock.now() - at <= options.snapshotMs) return undefined
    return `its snapshot was not complete after ${options.snapshotMs / 1000} s`
  }

  const keepMoment = ({ id }: SnapshotPlan, at: number, notFrozen: string | undefined): void => {
    const earliest = new Date(asked.get(id)?.firstAt ?? run.startedAt).toISOString()
    const latest = new Date(at).toISOString()
    const consistency = notFrozen === undefined ? 'frozen' : 'crash'
    verdicts.frozenAt(id, { asOf: { earliest, latest }, consistency })
    if (notFrozen === undefined) return
    if (options.freeze === 'require') verdicts.fail(id, `its guest was not frozen: ${notFrozen}`)
    verdicts.remark(id, `not frozen: ${notFrozen}`)
  }

  /** Begun as soon as a snapshot is seen to have ended: no guest waits for what is done about another one. */
  const thawing = new Map<string, Promise<string | undefined>>()
  await using _thawed = { [Symbol.asyncDispose]: async () => void (await Promise.all(thawing.values())) }

  await conveyor<SnapshotPlan, string>(vms, {
    parallel: options.snapshotsAtOnce,
    longestPauseMs: options.intervalMs,
    clock: run.clock,
    signal: run.signal,
    begin,
    fail: (_vm, error) => messageOf(error),
    look: async (underWay) => {
      run.emit({ kind: 'waiting', what: `snapshots of ${namesOf(underWay)}` })
      const seen = await site.hypervisor.observe(underWay, tagPrefix(run.id), run.signal)
      const lost = underWay.filter(
        (vm) => isLost(vm, seen) && (asked.get(vm.id)?.tags.length ?? 0) < mostTries,
      )
      await Promise.all(lost.map(askAgain))
      const ended = endedOf(underWay, (vm) => verdictOn(vm, seen))
      for (const vm of ended.keys()) thawing.set(vm.id, guests.thaw(vm))
      return ended
    },
    ended: async (vm, verdict, at) => {
      const { id, name } = vm
      done += 1
      const thawed = await (thawing.get(id) ?? guests.thaw(vm))
      const notFrozen = thawed ?? (askedTwice.has(id) ? 'its snapshot had to be asked for twice' : undefined)
      if (verdict !== 'taken') verdicts.fail(id, verdict)
      else keepMoment(vm, at, frozenByEngine.has(id) ? undefined : notFrozen)
      const request = asked.get(id)
      run.emit({
        kind: 'vm',
        vm: { id, name },
        did: verdict === 'taken' ? 'snapshot taken' : verdict,
        done,
        of: vms.length,
        ...(request === undefined
          ? {}
          : {
              asked: { act: 'snapshot', times: request.tags.length, ms: at - request.firstAt },
            }),
      })
    },
  })
}

/** Whether anything is seen of a snapshot. */
function isUnderWay(
  vm: SnapshotPlan,
  seen: Observation,
  description: string,
  tags: readonly string[],
): boolean {
  const rows = seen.vms.get(vm.id)?.snapshots ?? []
  return (
    tags.some((tag) => jobOf(seen, tag) !== undefined) || rows.some((one) => one.description === description)
  )
}

/** `taken`, why not, or undefined while it is under way. */
function snapshotState(
  plan: SnapshotPlan,
  vm: Vm | undefined,
  description: string,
  tags: readonly string[],
  seen: Observation,
): string | 'taken' | undefined {
  if (vm === undefined) return 'the VM is gone from the engine'
  const event = seen.events.find(
    ({ tag: of, meaning }) =>
      isOf(tags, of) && (meaning === 'snapshot failed' || meaning === 'snapshot doubtful'),
  )
  const jobs = tags.flatMap((tag) => jobOf(seen, tag) ?? [])
  if (jobs.some(({ state }) => state === 'running')) return undefined
  const job = jobs.at(-1)
  if (event !== undefined) return `${event.meaning}: ${event.text}`
  if (job?.state === 'failed') return `the engine's snapshot job failed: ${job.description}`
  const snapshot = vm.snapshots.find((one) => one.description === description && one.kind === 'regular')
  if (snapshot === undefined)
    return job === undefined ? undefined : 'the engine ended the job without a snapshot'
  if (snapshot.status !== 'ok') return undefined
  const astray = allOverlaysOf(plan).find(({ image, overlay }) => volumeOf(vm, image) !== overlay)
  // The engine's database names the overlay before the VM uses it: only together with the ended job it says something.
  return astray === undefined ? 'taken' : `disk ${astray.image} does not run on the overlay asked for`
}
