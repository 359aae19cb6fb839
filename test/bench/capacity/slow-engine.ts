import type { Hypervisor, Job } from '../../../src/model/hypervisor.ts'
import type { Vm } from '../../../src/model/vm.ts'
import type { Clock } from '../../../src/run/clock.ts'

type Asked = 'observe' | 'takeSnapshot' | 'removeSnapshot' | 'freeze' | 'thaw' | 'isGone'

interface Work {
  job: Job
  endsAt: number
  end(): void
}

/**
 * The acts of an engine whose jobs take as long as they are told, on a clock that may be virtual; a look costs it what is looked at, however
 * many VMs there are. Only what steps ask that are played alone.
 */
export function createSlowEngine(
  vms: readonly Vm[],
  clock: Clock,
  seconds: { snapshot(vm: Vm): number; merge(vm: Vm, ageSeconds: number): number },
): Pick<Hypervisor, Asked> {
  const byId = new Map(vms.map((vm) => [vm.id, vm]))
  const working = new Map<string, Work>()
  const takenAt = new Map<string, number>()

  function begin(vm: Vm, act: string, tag: string, takes: number, end: () => void): void {
    const job: Job = { id: `${act} ${tag}`, tag, description: `${act} ${vm.name}`, state: 'running' }
    working.set(vm.id, { job, endsAt: clock.now() + takes * 1000, end })
  }

  function found(id: string): Vm {
    const vm = byId.get(id)
    if (vm === undefined) throw new RangeError(`there is no VM ${id}`)
    return vm
  }

  return {
    async observe(refs) {
      const jobs: Job[] = []
      for (const { id } of refs) {
        const work = working.get(id)
        if (work === undefined) continue
        if (work.job.state === 'running' && work.endsAt <= clock.now()) {
          work.end()
          work.job.state = 'finished'
        }
        jobs.push(work.job)
      }
      return { vms: new Map(refs.map(({ id }) => [id, found(id)])), jobs, events: [] }
    },
    async takeSnapshot({ id }, { description, overlays }, tag) {
      const vm = found(id)
      const row = {
        id: `${id} ${tag}`,
        description,
        kind: 'regular' as const,
        status: 'locked' as 'locked' | 'ok',
      }
      vm.snapshots.push(row)
      takenAt.set(id, clock.now())
      begin(vm, 'take', tag, seconds.snapshot(vm), () => {
        row.status = 'ok'
        for (const { image, overlay } of overlays) setVolume(vm, image, overlay)
      })
      return row.id
    },
    async removeSnapshot({ id }, snapshot, tag) {
      const vm = found(id)
      const age = (clock.now() - (takenAt.get(id) ?? clock.now())) / 1000
      begin(vm, 'merge', tag, seconds.merge(vm, age), () => {
        vm.snapshots = vm.snapshots.filter((row) => row.id !== snapshot)
        for (const disk of vm.disks) setVolume(vm, disk.id, `${disk.id} merged`)
      })
    },
    freeze: () => Promise.resolve(),
    thaw: () => Promise.resolve(),
    isGone: ({ id }) => Promise.resolve(!byId.has(id)),
  }
}

function setVolume(vm: Vm, image: string, volume: string): void {
  const disk = vm.disks.find(({ id }) => id === image)
  if (disk !== undefined) disk.volume = volume
}
