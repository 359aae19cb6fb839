import pLimit, { type LimitFunction } from 'p-limit'
import type { VmHost } from '../../vm-host.ts'
import { type Clock, systemClock } from './clock.ts'
import type {
  Cluster,
  DataCenter,
  Disk,
  Host,
  Named,
  Role,
  StorageDomain,
  Tag,
  User,
  Vm,
} from './entities.ts'
import { Faults } from './faults.ts'
import { zeroId } from './ids.ts'
import type { Event, Job } from './records.ts'
import { defaultSettings, type Settings, type Timings } from './settings.ts'

export interface WorldOptions {
  host: VmHost
  clock?: Clock
  settings?: Partial<Omit<Settings, 'timings'>> & { timings?: Partial<Timings> }
}

export interface Network extends Named {
  dataCenter: string
  profile: Named
}

export interface AffinityGroup extends Named {
  cluster: string
}

/** vdsm's storage pool manager runs this many tasks at once. */
const spmThreads = 10

/** All that the simulated engine knows, by id. Behaviour is in the functions of this folder. */
export class World {
  readonly host: VmHost
  readonly clock: Clock
  readonly settings: Settings
  readonly faults = new Faults()
  /** The storage domains whose volumes the host holds; other domains exist in the database only. */
  readonly hostDomains: string[] = []
  readonly started: Date

  readonly dataCenters = new Map<string, DataCenter>()
  readonly clusters = new Map<string, Cluster>()
  readonly hosts = new Map<string, Host>()
  readonly domains = new Map<string, StorageDomain>()
  readonly disks = new Map<string, Disk>()
  readonly vms = new Map<string, Vm>()
  readonly templates = new Map<string, Named>([
    [zeroId, { id: zeroId, name: 'Blank', description: 'Blank template' }],
  ])
  readonly tags = new Map<string, Tag>([
    [zeroId, { id: zeroId, name: 'root', description: 'root', parent: undefined }],
  ])
  readonly networks = new Map<string, Network>()
  readonly affinityGroups = new Map<string, AffinityGroup>()
  readonly roles = new Map<string, Role>()
  readonly users = new Map<string, User>()
  readonly jobs = new Map<string, Job>()
  /** Oldest first. */
  readonly events: Event[] = []
  readonly externalEventKeys = new Set<string>()

  readonly spm: LimitFunction = pLimit(spmThreads)
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor({ host, clock = systemClock, settings = {} }: WorldOptions) {
    this.host = host
    this.clock = clock
    this.settings = {
      ...defaultSettings,
      ...settings,
      timings: { ...defaultSettings.timings, ...settings.timings },
    }
    this.started = clock.now()
  }

  /** The first of the host's storage domains: where new disks go. */
  get hostDomain(): string | undefined {
    return this.hostDomains[0]
  }

  /** Waits the world's time; ends with an error when the world closes. */
  sleep(ms: number): Promise<void> {
    return this.clock.sleep(ms, this.#closing.signal)
  }

  /** Never resolves; rejects when the world closes. */
  forever(): Promise<never> {
    const { signal } = this.#closing
    return new Promise((_, reject) => {
      const stop = () => reject(signal.reason as Error)
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
  }

  /** Runs work that outlives its request; the promise ends with the work and never rejects. */
  background(work: () => Promise<void>): Promise<void> {
    const running = work()
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.brokenWork.push(error)
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
    return running
  }

  /** Errors of background work that no rule of the engine foresaw; a sound world has none. */
  readonly brokenWork: unknown[] = []

  /** Resolves when no background work is left. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Stops waiting work and the VMs. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the lab closes'))
    await this.idle()
    await this.host.close()
  }

  /** Whether the host holds this disk's volumes. */
  isOnHost(disk: Disk): boolean {
    return disk.storageType === 'image' && disk.domain !== undefined && this.hostDomains.includes(disk.domain)
  }

  /** A VM by name or id. */
  findVm(nameOrId: string): Vm | undefined {
    return this.vms.get(nameOrId) ?? [...this.vms.values()].find((vm) => vm.name === nameOrId)
  }
}
