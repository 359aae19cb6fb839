import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  look,
  meaningsOf,
  orderFor,
  refusalOf,
  rowsOf,
  settled,
  signal,
  stateOf,
  vmOf,
  volumesOf,
} from './hypervisor-looks.ts'
import type { MakeSubject } from './hypervisor-subject.ts'

/** The removal of snapshots, which merges them. */
export function mergeContract(start: MakeSubject): void {
  /** A subject whose `web` has one snapshot. */
  async function snapshotted() {
    const subject = await start()
    const { hypervisor } = subject
    const web = await vmOf(hypervisor, 'web')
    const id = await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    await settled(hypervisor, web, 'run-1')
    return { ...subject, web, id }
  }

  test('a removal returns before the merge is done, after which the VM is as before', async () => {
    const { hypervisor, web, id, hold, release } = await snapshotted()
    hold()
    await hypervisor.removeSnapshot(web, id, 'run-2', signal)
    const during = await look(hypervisor, web)
    expect(stateOf(during, 'run-2')).toBe('running')
    expect(during.vms.get(web.id)?.disks.map(({ status }) => status)).toEqual(['locked', 'locked'])
    expect(volumesOf(during)).not.toEqual(web.disks.map(({ volume }) => volume))
    release()
    const after = await settled(hypervisor, web, 'run-2')
    expect(stateOf(after, 'run-2')).toBe('finished')
    expect(rowsOf(after)).toEqual([])
    expect(after.vms.get(web.id)?.disks).toEqual(web.disks)
  })

  test('the removal of a snapshot that is gone is done already', async () => {
    const { hypervisor, web, id } = await snapshotted()
    await hypervisor.removeSnapshot(web, id, 'run-2', signal)
    await settled(hypervisor, web, 'run-2')
    await hypervisor.removeSnapshot(web, id, 'run-3', signal)
    await hypervisor.removeSnapshot(web, randomUUID(), 'run-4', signal)
    expect((await look(hypervisor, web)).vms.get(web.id)?.disks).toEqual(web.disks)
  })

  test('the removal of a snapshot whose VM is gone is done already', async () => {
    const { hypervisor, web, id, removeVm } = await snapshotted()
    removeVm('web')
    await hypervisor.removeSnapshot(web, id, 'run-2', signal)
    expect((await look(hypervisor, web)).vms.size).toBe(0)
  })

  test('the removal of a snapshot that is being made is refused', async () => {
    const { hypervisor, hold, release } = await start()
    const web = await vmOf(hypervisor, 'web')
    hold()
    const id = await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    expect(await refusalOf(hypervisor.removeSnapshot(web, id, 'run-2', signal))).toBeLessThan(500)
    release()
    expect(rowsOf(await settled(hypervisor, web, 'run-1'))).toMatchObject([{ id, status: 'ok' }])
  })

  test('a failed merge leaves the snapshot, an event says so, and a second removal heals it', async () => {
    const { hypervisor, web, id, fail } = await snapshotted()
    fail('web', 'merge fails')
    await hypervisor.removeSnapshot(web, id, 'run-2', signal)
    const failed = await settled(hypervisor, web, 'run-2')
    expect(stateOf(failed, 'run-2')).toBe('failed')
    expect(rowsOf(failed)).toMatchObject([{ id, status: 'ok' }])
    expect(volumesOf(failed)).not.toEqual(web.disks.map(({ volume }) => volume))
    expect(meaningsOf(failed)).toContain('run-2 merge failed')

    await hypervisor.removeSnapshot(web, id, 'run-3', signal)
    const healed = await settled(hypervisor, web, 'run-3')
    expect(stateOf(healed, 'run-3')).toBe('finished')
    expect(healed.vms.get(web.id)).toMatchObject({ disks: web.disks, snapshots: [{ kind: 'active' }] })
    expect(meaningsOf(healed)).not.toContain('run-3 merge failed')
  })
}
