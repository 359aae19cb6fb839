import { z } from 'zod'
import type { Alert } from '../model/alert.ts'
import { CommandFailed } from '../model/errors.ts'
import { known } from '../model/known.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import type { JobRecord } from './job-record.ts'
import type { AgentPorts, InventoryVm } from './ports.ts'
import { isoTime } from './progress.ts'
import { type Expectation, judgeRpo, type RpoVerdict } from './rpo.ts'
import { type PairStanding, pairStanding, standingOf, type VmStanding } from './standing.ts'
import { type RpoChange, tellRpo } from './tellings.ts'
import type { Troubles } from './troubles.ts'
import type { VmView } from './view.ts'

/** What is remembered of a VM: its RPO counts from when it was first seen, and a change is told once. */
const VmMemory = z.object({
  name: z.string(),
  firstSeenAt: z.number(),
  told: z.enum(['ok', 'warning', 'breach', 'none']),
  // The VM as it was seen last, so that its RPO is watched while the engine is away.
  jobs: z.array(z.string()),
  pairs: z.array(z.string()),
  policy: z.string().optional(),
  rpoMs: z.number().optional(),
  whyNot: z.string().optional(),
})
type VmMemory = z.infer<typeof VmMemory>

/** The engine may be restarted without anybody being told. */
const enginePatienceMs = 10 * 60_000

/** Watches how old every VM's newest proved recovery point is. */
export class Watch {
  readonly #records: readonly JobRecord[]
  readonly #ports: AgentPorts
  readonly #troubles: Troubles
  readonly #warnPercent: number
  #vms: Map<string, VmMemory>
  readonly #standings = new Map<string, PairStanding>()

  constructor(records: readonly JobRecord[], ports: AgentPorts, troubles: Troubles, warnPercent: number) {
    this.#records = records
    this.#ports = ports
    this.#troubles = troubles
    this.#warnPercent = warnPercent
    this.#vms = new Map()
    for (const [id, vm] of ports.book.all('vm ', VmMemory)) this.#vms.set(id, vm)
  }

  /** Asks the engine which VMs there are; while it does not answer the last answer stands. True when it answers again. */
  async lookAtEngine(signal: AbortSignal): Promise<boolean> {
    try {
      this.#take(await this.#ports.inventory(signal))
      return ['engine', 'gluster'].map((matter) => this.#troubles.cleared(matter)).includes(true)
    } catch (error) {
      const matter = error instanceof CommandFailed ? 'gluster' : 'engine'
      if (!signal.aborted) this.#troubles.met(matter, error, enginePatienceMs)
      return false
    }
  }

  /**
   * Reads what the last runs have left on the pairs' secondaries. Not while one goes on: it has not said yet what it proves. Throws
   * Failure when the history cannot be read.
   */
  readPoints(pairs: readonly Pair[]): void {
    for (const pair of pairs)
      this.#standings.set(nameOfPair(pair), pairStanding(this.#ports.history.lastWriter(pair)))
  }

  /** Tells of every VM that has come to stand otherwise against its RPO. */
  judge(now: number): void {
    const changed = [...this.#judged(now)].filter(({ vm, verdict }) => verdict.rpo !== vm.told)
    if (changed.length === 0) return
    this.#troubles.guard('state', () => {
      for (const alert of alertsOf(changed, now, (job) => this.#recordOf(job)?.job.timeZone))
        this.#ports.tell(alert)
      const memories = changed.map(({ id, vm, verdict }) => [id, { ...vm, told: verdict.rpo }] as const)
      this.#remember(new Map(memories))
      for (const [id, vm] of memories) this.#vms.set(id, vm)
    })
  }

  /**
   * The VM of the job whose RPO breaks first; of those that no run has come to yet, by when they were first seen. Without an instant
   * where there is no recovery point yet.
   */
  tightest(job: string): { provedAsOf?: number; rpoMs?: number } {
    let found: { provedAsOf: number; rpoMs: number } | undefined
    let proved = false
    for (const vm of this.#vms.values()) {
      if (vm.rpoMs === undefined || !vm.jobs.includes(job)) continue
      const { state, provedAsOf = vm.firstSeenAt } = standingOf(this.#inventoryVm('', vm), this.#standings)
      if (state !== 'protected' && state !== 'waiting') continue
      proved ||= state === 'protected'
      if (found === undefined || provedAsOf + vm.rpoMs < found.provedAsOf + found.rpoMs)
        found = { provedAsOf, rpoMs: vm.rpoMs }
    }
    if (found === undefined) return {}
    return proved ? found : { rpoMs: found.rpoMs }
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
    for (const [id, vm] of this.#vms) {
      const standing = standingOf(this.#inventoryVm(id, vm), this.#standings)
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

  #take(inventory: readonly InventoryVm[]): void {
    const now = this.#ports.clock.now()
    const vms = new Map<string, VmMemory>()
    for (const { id, ...vm } of inventory) {
      const { firstSeenAt = now, told = 'none' } = this.#vms.get(id) ?? {}
      vms.set(id, { ...vm, firstSeenAt, told })
    }
    const changes = new Map<string, VmMemory | undefined>()
    for (const id of this.#vms.keys()) if (!vms.has(id)) changes.set(id, undefined)
    for (const [id, vm] of vms)
      if (JSON.stringify(vm) !== JSON.stringify(this.#vms.get(id))) changes.set(id, vm)
    this.#vms = vms
    this.#troubles.guard('state', () => this.#remember(changes))
  }

  #remember(changes: ReadonlyMap<string, VmMemory | undefined>): void {
    this.#ports.book.set(new Map([...changes].map(([id, vm]) => [`vm ${id}`, vm])))
  }

  #inventoryVm(id: string, { name, jobs, pairs, whyNot }: VmMemory): InventoryVm {
    return known({ id, name, jobs, pairs, whyNot })
  }

  #recordOf(name: string): JobRecord | undefined {
    return this.#records.find(({ job }) => job.name === name)
  }
}

/** A VM with all that is known of it at one moment. */
interface Judged {
  id: string
  vm: VmMemory
  job: string | undefined
  standing: VmStanding
  verdict: RpoVerdict
  expected: Expectation
}

function viewOf({ id, vm, job, standing, verdict, expected }: Judged): VmView {
  const { name, policy, rpoMs } = vm
  const { state, why } = standing
  const { rpo, forecast } = verdict
  return known({
    id,
    name,
    job,
    policy,
    state,
    provedAsOf: isoTimeIf(standing.provedAsOf),
    rpoMs,
    rpo,
    breachAt: isoTimeIf(verdict.breachAt),
    forecast,
    nextStart: isoTimeIf(finite(expected.startAt)),
    why,
  })
}

function finite(at: number | undefined): number | undefined {
  return at === Number.POSITIVE_INFINITY ? undefined : at
}

function isoTimeIf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : isoTime(at)
}

/** One alert for all VMs of a job that came to stand so. */
function alertsOf(
  changed: readonly Judged[],
  now: number,
  timeZoneOf: (job: string) => string | undefined,
): Alert[] {
  const groups = Map.groupBy(changed.filter(isWorthTelling), ({ job, verdict }) => `${verdict.rpo} ${job}`)
  return [...groups.values()].flatMap((group) => {
    const [{ job, verdict } = {}] = group
    if (job === undefined || verdict === undefined || verdict.rpo === 'none') return []
    return [tellRpo(job, verdict.rpo, group.map(changeOf), now, timeZoneOf(job))]
  })
}

/** A warning after a breach is good news that is not good enough; a VM that is new and in order is none. */
function isWorthTelling({ vm: { told }, verdict: { rpo } }: Judged): boolean {
  return !(rpo === 'warning' && told === 'breach') && !(rpo === 'ok' && told === 'none')
}

function changeOf({ id, vm, standing, verdict }: Judged): RpoChange {
  const { name, rpoMs = 0 } = vm
  const { provedAsOf, why } = standing
  return known({ id, name, rpoMs, breachAt: verdict.breachAt ?? 0, provedAsOf, why })
}
