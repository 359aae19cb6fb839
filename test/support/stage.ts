import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackupOptions } from '../../src/backup/options.ts'
import { backupPlay } from '../../src/backup/play.ts'
import { plainFile } from '../../src/gluster/plain-file.ts'
import { nameOfPair, type Pair } from '../../src/model/pair.ts'
import type { OpenVolume } from '../../src/model/replication.ts'
import type { Vm } from '../../src/model/vm.ts'
import type { Clock } from '../../src/run/clock.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { perform } from '../../src/run/perform.ts'
import { type PairRecovery, recover } from '../../src/run/recover.ts'
import type { Report } from '../../src/run/report.ts'
import { createMemoryHypervisor } from './memory-hypervisor.ts'
import { createMemoryReplication } from './memory-replication.ts'
import { aVm } from './vms.ts'
import { ovfStores } from './volume-files.ts'

export const quickOptions: BackupOptions = {
  freeze: 'try',
  freezeMs: 10_000,
  snapshotMs: 60_000,
  snapshotsAtOnce: 4,
  mergeMs: 600_000,
  mergesAtOnce: 2,
  mergesPerHost: 2,
  mergeStallMs: 300_000,
  minFree: { bytes: 0 },
  replicationMs: 600_000,
  stallMs: 60_000,
  intervalMs: 1_000,
  compare: 'quick',
  sampleBytes: 1_048_576,
  imagesAtOnce: 4,
  healTurns: 2,
  tool: 'vmbackup 0.0.0',
}

/** What a plan remembers of the engine. */
export const seenEngine = { engine: 'fake engine', lastEvent: 0 }

/** A volume that is a directory. */
export function volumeAt(dir: string): OpenVolume {
  return {
    dir,
    space: async () => ({ freeBytes: 2 ** 39, sizeBytes: 2 ** 40 }),
    open: (path) => plainFile(join(dir, path)),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** A clock that goes on by what is slept, so that waiting costs a test nothing. */
export function fakeClock(): Clock {
  let now = Date.now()
  return {
    now: () => now,
    async sleep(ms, signal) {
      signal.throwIfAborted()
      now += ms
    },
  }
}

/** Two volumes and an engine in a directory, and a way to run backups on them. */
export async function createStage(vms: Vm[] = [aVm('web'), aVm('db')]) {
  // In memory where that can be had: the ledger syncs at every write.
  return openStage(
    await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vmbackup-stage-')),
    vms,
  )
}

/** The stage in that directory, also one that another process has left there. */
export async function openStage(root: string, vms: Vm[] = []) {
  const replicated = await createMemoryReplication(root)
  const engine = await createMemoryHypervisor(root, replicated.primaryDir, vms)
  return stageOf(root, engine, replicated, { primary: 'data', secondary: { host: 'gs1', volume: 'data-dr' } })
}

/** One pair of volumes of an engine. */
export function stageOf(
  root: string,
  engine: Awaited<ReturnType<typeof createMemoryHypervisor>>,
  replicated: Awaited<ReturnType<typeof createMemoryReplication>>,
  pair: Pair,
) {
  const stateDir = join(root, 'state')
  const events: RunEvent[] = []
  const request = {
    ...pair,
    stateDir,
    signal: new AbortController().signal,
    clock: fakeClock(),
    settleMs: 60_000,
    emit: (event: RunEvent) => void events.push(event),
  }
  const playWith = (options: Partial<BackupOptions>) =>
    backupPlay(
      { hypervisor: engine.hypervisor, replication: replicated.replication },
      { ...quickOptions, ...options },
      pair.primary,
    )

  return {
    root,
    stateDir,
    engine,
    replicated,
    events,
    request,
    /** Steps as they ended, in order. */
    steps: () => events.flatMap((event) => (event.kind === 'step ended' ? [event.step] : [])),
    async run(
      options: Partial<BackupOptions> = {},
      more: { signal?: AbortSignal; onEvent?: (event: RunEvent) => void } = {},
    ): Promise<Report> {
      return perform(
        {
          ...request,
          signal: more.signal ?? request.signal,
          clock: fakeClock(),
          emit: (event) => {
            events.push(event)
            more.onEvent?.(event)
          },
        },
        playWith(options),
      )
    },
    recover: (waive: readonly number[] = []): Promise<PairRecovery> => recover(request, playWith({}), waive),
    owed(): string[] {
      using ledger = new Ledger(join(stateDir, 'vmbackup.db'), nameOfPair(pair))
      return ledger.open().map((one) => one.what.kind)
    },
    /** Every file of the VMs' images on a volume, relative, sorted. */
    async files(end: 'primaryDir' | 'secondaryDir'): Promise<string[]> {
      const entries = await readdir(replicated[end], { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(replicated[end].length + 1))
        .filter((path) => path.includes('/images/') && !ovfStores.some(({ image }) => path.includes(image)))
        .sort()
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true })
    },
  }
}
