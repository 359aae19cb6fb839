import type { Job, Observation } from '../model/hypervisor.ts'
import type { Vm, VmRef } from '../model/vm.ts'

/** The job of one act, by its tag. */
export function jobOf(seen: Observation, tag: string): Job | undefined {
  return seen.jobs.find((job) => job.tag === tag)
}

/** The active volume of a disk. */
export function volumeOf(vm: Vm, image: string): string | undefined {
  return vm.disks.find((disk) => disk.id === image)?.volume
}

/** The items that have a result by now. */
export function endedOf<Item, Result>(
  items: readonly Item[],
  resultOf: (item: Item) => Result | undefined,
): Map<Item, Result> {
  const ended = new Map<Item, Result>()
  for (const item of items) {
    const result = resultOf(item)
    if (result !== undefined) ended.set(item, result)
  }
  return ended
}

/** At most three names, then how many more. */
export function namesOf(vms: readonly VmRef[]): string {
  const names = vms.slice(0, 3).map((vm) => vm.name)
  return vms.length > 3 ? `${names.join(', ')} and ${vms.length - 3} more` : names.join(', ')
}
