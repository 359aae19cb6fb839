import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { BackupOptions } from '../../src/backup/options.ts'
import { performTogether } from '../../src/backup/together.ts'
import type { Vm } from '../../src/model/vm.ts'
import type { Clock } from '../../src/run/clock.ts'
import type { RunEvent } from '../../src/run/event.ts'
import type { PairRecovery } from '../../src/run/recover.ts'
import type { Report } from '../../src/run/report.ts'
import { createMemoryHypervisor, otherDomain } from './memory-hypervisor.ts'
import { createMemoryReplication } from './memory-replication.ts'
import { fakeClock, quickOptions, stageOf } from './stage.ts'
import { aDisk, aVm } from './vms.ts'

/** On a busy machine one run may sleep through many minutes of its clock before the other has done what it waits for. */
const patientOptions: BackupOptions = { ...quickOptions, snapshotMs: 600_000, mergeMs: 3_600_000 }

/** A VM with a disk on either volume, one alone on each, and one that is down and lies on both. */
export const acrossBoth = (): Vm[] => [
  aVm('both', { guestAgent: true, disks: [aDisk('both-1'), onOther('both-2')] }),
  aVm('idle', { status: 'down', disks: [aDisk('idle-1'), onOther('idle-2')] }),
  aVm('left'),
  aVm('right', { disks: [onOther('right-1')] }),
]

/** A disk on the second domain. */
export function onOther(name: string) {
  return aDisk(name, { domains: [otherDomain.id] })
}

/** A clock that goes on by what is slept, and lets the other run get on meanwhile. */
function patientClock(): Clock {
  const clock = fakeClock()
  return {
    now: clock.now,
    async sleep(ms, signal) {
      await clock.sleep(ms, signal)
      await setTimeout(1)
    },
  }
}

/** Of the runs of one job, `0` and `1` in the order of the pairs. */
type Each<T> = readonly [T, T]

/** One engine with two volumes, each with a copy of its own, in a directory. */
export async function createTwoPairs(vms = acrossBoth()) {
  const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  return openTwoPairs(await mkdtemp(join(place, 'vmbackup-pairs-')), vms)
}

/** The same, also as another process has left it. */
export async function openTwoPairs(root: string, vms: Vm[] = []) {
  const volumes = { primary: 'data2', secondary: 'data2-dr' }
  const one = await createMemoryReplication(root)
  const two = await createMemoryReplication(join(root, 'second'), {}, volumes)
  const engine = await createMemoryHypervisor(root, one.primaryDir, vms, {}, two.primaryDir)
  const first = stageOf(root, engine, one, {
    primary: 'data',
    secondary: { host: 'gs1', volume: 'data-dr' },
  })
  const second = stageOf(root, engine, two, {
    primary: 'data2',
    secondary: { host: 'gs1', volume: 'data2-dr' },
  })
  const stages: Each<typeof first> = [first, second]
  /** Of both runs as they happened; `at` is the run. */
  const events: { at: number; event: RunEvent }[] = []

  return {
    root,
    engine,
    stages,
    events,
    async run(
      options: Partial<BackupOptions> = {},
      more: { signals?: Each<AbortSignal>; onEvent?: (at: number, event: RunEvent) => void } = {},
    ): Promise<Each<Report>> {
      const [left, right, ...none] = await performTogether(
        stages.map(({ request, replicated }, at) => ({
          request: {
            ...request,
            job: 'all',
            signal: more.signals?.[at] ?? request.signal,
            clock: patientClock(),
            emit: (event: RunEvent) => {
              events.push({ at, event })
              more.onEvent?.(at, event)
            },
          },
          site: { hypervisor: engine.hypervisor, replication: replicated.replication },
          options: { ...patientOptions, ...options },
        })),
      )
      if (left === undefined || right === undefined || none.length > 0) throw new Error('not two reports')
      return [left, right]
    },
    async recover(): Promise<PairRecovery[]> {
      return [await first.recover(), await second.recover()]
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true })
    },
  }
}

export type TwoPairs = Awaited<ReturnType<typeof openTwoPairs>>
