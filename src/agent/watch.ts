import { nameOfPair, type Pair } from '../model/pair.ts'
import type { JobRecord } from './job-record.ts'
import { alertsOf, droppedAlerts, isBehind, type Judged, memoryOf, VmMemory, viewOf } from './judged-vm.ts'
import type { AgentPorts, InventoryVm } from './ports.ts'
import { type Expectation, judgeRpo } from './rpo.ts'
import { type Found, findIn, type PairStanding, pairStanding } from './standing.ts'
import type { Troubles } from './troubles.ts'
import type { VmView } from './view.ts'

/** The engine may be restarted without anybody being told. */
const enginePatienceMs = 10 * 60_000

/** A run that is not ours and has not reported for so long has died. */
const foreignMs = 2 * 3_600_000

/** The name under which trouble with a pair's volumes is told. */
export function volumeMatter({ primary }: Pair): string {
  return `volume ${primary}`
}

/** What to write down, undefined for what is to be forgotten. */
function changedIn(
  before: ReadonlyMap<string, VmMemory>,
  after: ReadonlyMap<string, VmMemory>,
): Map<string, VmMemory | undefined> {
  const gone = [...before.keys()].filter((id) => !after.has(id)).map((id) => [id, undefined] as const)
  const changed = [...after].filter(([id, vm]) => JSON.stringify(vm) !== JSON.stringify(before.get(id)))
  return new Map<string, VmMemory | undefined>([...gone, ...changed])
}

/** Watches how old every VM's newest proved recovery point is. */
export class Watch {
  readonly #records: readonly JobRecord[]
  readonly #ports: AgentPorts
  readonly #troubles: Troubles
  readonly #warnPercent: number
  #vms: Map<string, VmMemory>
  readonly #standings = new Map<string, PairStanding>()
  readonly #stale = new Set<string>()
  /** What follows from VMs and standings, until either changes: of 10,000 VMs it is asked for several times in a turn. */
  #found: Found | undefined

  constructor(records: readonly JobRecord[], ports: AgentPorts, troubles: Troubles, warnPercent: number) {
    this.#records = records
    this.#ports = ports
    this.#troubles = troubles
    this.#warnPercent = warnPercent
    // Of jobs and pairs that the configuration has no more nothing is judged; the engine is asked again soon.
    const jobs = new Set(records.map(({ job }) => job.name))
    const pairs = new Set(records.flatMap((record) => record.pairs))
    const isKnown = (vm: VmMemory): boolean =>
      vm.jobs.every((job) => jobs.has(job)) && vm.pairs.every((pair) => pairs.has(pair))
    this.#vms = new Map([...ports.book.all('vm ', VmMemory)].filter(([, vm]) => isKnown(vm)))
  }

  /** Asks the engine which VMs there are; while it does not answer the last answer stands. True when it answers again. */
  async lookAtEngine(signal: AbortSignal): Promise<boolean> {
    try {
      const { vms, blind } = await this.#ports.inventory(signal)
      const unseen = new Set(blind.map(({ pair }) => pair.primary))
      this.#take(vms, unseen)
      for (const { pair, error } of blind) this.#troubles.met(volumeMatter(pair), error, enginePatienceMs)
      return this.#clearedBut(unseen)
    } catch (error) {
      if (!signal.aborted) this.#troubles.met('engine', error, enginePatienceMs)
      return false
    }
  }

  /** True when engine or a volume can be asked again that could not. */
  #clearedBut(blind: ReadonlySet<string>): boolean {
    const pairs = this.#records.flatMap(({ job }) => job.pairs)
    const volumes = pairs.filter(({ primary }) => !blind.has(primary)).map(volumeMatter)
    return ['engine', ...volumes].map((matter) => this.#troubles.cleared(matter)).includes(true)
  }

  /** What was known of these pairs' secondaries is read anew at the next turn. */
  forget(pairs: readonly Pair[]): void {
    for (const pair of pairs) this.#stale.add(nameOfPair(pair))
  }

  /**
   * Reads what the last runs have left on the pairs' secondaries, where that has changed: others make runs, too. Not while one of ours goes on: it
   * has not said yet what it proves. Throws Failure when the history cannot be read.
   */
  readPoints(pairs: readonly Pair[], now: number): void {
    const { history } = this.#ports
    for (const pair of pairs) {
      const name = nameOfPair(pair)
      const known = this.#standings.get(name)
      const isNew = known === undefined || this.#stale.has(name)
      const isSame =
        known?.writer === history.writer(pair) && (known?.writer === undefined || known.results !== undefined)
      if (!isNew && isSame) continue
      const found = pairStanding(history.lastWriter(pair))
      // A run that is not ours may still be going on, and its report to come.
      const isGoing = found.results === undefined && now - (found.writtenAt ?? 0) < foreignMs
      if (!isNew && isGoing) continue
      this.#standings.set(name, found)
      this.#found = undefined
      this.#stale.delete(name)
    }
  }

  /** Tells of every VM that has come to stand otherwise against its RPO. */
  judge(now: number): void {
    const changed = [...this.#judged(now)].filter(({ vm, verdict }) => verdict.rpo !== vm.told)
    if (changed.length === 0) return
    const alerts = alertsOf(changed, now, (job) => this.#recordOf(job)?.job.timeZone)
    this.#troubles.guard('alerts', () => {
      for (const alert of alerts) this.#ports.tell(alert)
    })
    const memories = changed.map(({ id, vm, verdict }) => [id, { ...vm, told: verdict.rpo }] as const)
    for (const [id, vm] of memories) this.#vms.set(id, vm)
    this.#troubles.guard('state', () => this.#remember(new Map(memories)))
  }

  /**
   * The VM of the job whose RPO breaks first; of those that no run has come to yet, by when they were first seen. Without an instant
   * where there is no recovery point yet.
   */
  tightest(job: string): { provedAsOf?: number; rpoMs?: number } {
    return this.#foundNow().tightest.get(job) ?? {}
  }

  /** When the next VM is warned of or breaks its RPO, unless something happens before; infinity when none will. */
  nextAt(now: number): number {
    const moments = [...this.#judged(now)].flatMap(({ vm: { rpoMs = 0 }, verdict: { breachAt } }) =>
      breachAt === undefined ? [] : [breachAt, breachAt - (rpoMs * this.#warnPercent) / 100],
    )
    return moments.reduce((first, at) => (at > now && at < first ? at : first), Number.POSITIVE_INFINITY)
  }

  /** By name; each with the names of the jobs that protect it. */
  views(now: number): { vm: VmView; jobs: readonly string[] }[] {
    const views = [...this.#judged(now)].map((one) => ({ vm: viewOf(one), jobs: one.vm.jobs }))
    return views.toSorted((a, b) => a.vm.name.localeCompare(b.vm.name) || a.vm.id.localeCompare(b.vm.id))
  }

  *#judged(now: number): Iterable<Judged> {
    const expected = new Map(this.#records.map((record) => [record.job.name, this.#expectation(record, now)]))
    const { standings } = this.#foundNow()
    for (const [id, vm] of this.#vms) {
      const standing = standings.get(id) ?? { state: 'waiting' }
      const job = vm.whyNot === undefined ? vm.jobs[0] : undefined
      const expectation = (job === undefined ? undefined : expected.get(job)) ?? {}
      const verdict = judgeRpo(vm, standing, expectation, now, this.#warnPercent)
      yield { id, vm, job, standing, verdict, expected: expectation }
    }
  }

  #expectation(record: JobRecord, now: number): Expectation {
    if (record.state !== 'queued') {
      return record.expectation(now, record.next(now, this.tightest(record.job.name))?.at)
    }
    const ends = this.#records
      .filter(({ state }) => state === 'running')
      .map((one) => one.expectation(now).endAt ?? now)
    return record.expectation(now, Math.max(now, ...ends))
  }

  #take(inventory: readonly InventoryVm[], blind: ReadonlySet<string>): void {
    const now = this.#ports.clock.now()
    const vms = this.#unseen(blind)
    for (const { id, partly, ...vm } of inventory) {
      const before = this.#vms.get(id)
      const memory = partly ? before : memoryOf(vm, before, now)
      // Of a VM that is new, and perhaps not seen whole, nothing can be claimed yet.
      if (!vms.has(id) && memory !== undefined) vms.set(id, memory)
    }
    const changes = changedIn(this.#vms, vms)
    this.#tellDropped(vms, now)
    this.#vms = vms
    this.#found = undefined
    if (changes.size > 0) this.#troubles.guard('state', () => this.#remember(changes))
  }

  /** What is known of VMs with disks on these primaries, of which nobody could be asked: it stands. */
  #unseen(blind: ReadonlySet<string>): Map<string, VmMemory> {
    const all = this.#records.flatMap(({ job }) => job.pairs)
    const pairs = new Set(all.filter(({ primary }) => blind.has(primary)).map(nameOfPair))
    return new Map([...this.#vms].filter(([, vm]) => vm.pairs.some((pair) => pairs.has(pair))))
  }

  /** Who was told that a VM is behind is told when nobody waits for it any more. */
  #tellDropped(vms: ReadonlyMap<string, VmMemory>, now: number): void {
    const dropped = [...this.#vms].flatMap(([id, before]) => {
      const after = vms.get(id)
      const isWatched = after?.rpoMs !== undefined && after.whyNot === undefined
      return isWatched || !isBehind(before) ? [] : [{ id, before, why: after?.whyNot }]
    })
    for (const alert of droppedAlerts(dropped, now)) this.#troubles.tell(alert)
  }

  #remember(changes: ReadonlyMap<string, VmMemory | undefined>): void {
    this.#ports.book.set(new Map([...changes].map(([id, vm]) => [`vm ${id}`, vm])))
  }

  #foundNow(): Found {
    this.#found ??= findIn(this.#vms, this.#standings)
    return this.#found
  }

  #recordOf(name: string): JobRecord | undefined {
    return this.#records.find(({ job }) => job.name === name)
  }
}
