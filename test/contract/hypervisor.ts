import { afterEach, describe } from 'vitest'
import { inventoryContract } from './hypervisor-inventory.ts'
import { mergeContract } from './hypervisor-merges.ts'
import { snapshotContract } from './hypervisor-snapshots.ts'
import type { MakeSubject, Subject } from './hypervisor-subject.ts'
import { tagContract } from './hypervisor-tags.ts'
import { tasksContract } from './hypervisor-tasks.ts'

/** The facts that a backup relies on, whatever the engine is. */
export function hypervisorContract(name: string, make: MakeSubject): void {
  describe(`hypervisor by ${name}`, () => {
    const subjects: Subject[] = []
    afterEach(async () => {
      for (const subject of subjects.splice(0)) await subject[Symbol.asyncDispose]()
    })
    const start: MakeSubject = async (more) => {
      const subject = await make(more)
      subjects.push(subject)
      return subject
    }
    inventoryContract(start)
    snapshotContract(start)
    mergeContract(start)
    tagContract(start)
    tasksContract(start)
  })
}
