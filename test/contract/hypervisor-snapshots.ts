import { expect, test } from 'vitest'
import {
  look,
  meaningsOf,
  orderFor,
  refusalOf,
  rowsOf,
  settled,
  signal,
  vmOf,
  volumesOf,
} from './hypervisor-looks.ts'
import type { MakeSubject } from './hypervisor-subject.ts'

/** The taking of snapshots. */
export function snapshotContract(start: MakeSubject): void {
  test('a snapshot is locked while it is made and ok afterwards, under the id that was told', async () => {
    const { hypervisor, hold, release } = await start()
    const web = await vmOf(hypervisor, 'web')
    hold()
    const id = await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    const row = { id, description: 'of the contract', kind: 'regular' }
    expect(rowsOf(await look(hypervisor, web))).toEqual([{ ...row, status: 'locked' }])
    release()
    expect(rowsOf(await settled(hypervisor, web, 'run-1'))).toEqual([{ ...row, status: 'ok' }])
  })

  test('a snapshot puts the disks asked for on the overlays asked for, and no other disk', async () => {
    const { hypervisor } = await start()
    const web = await vmOf(hypervisor, 'web')
    const [first, second] = orderFor(web).overlays
    const order = { description: 'of the contract', overlays: first ? [first] : [] }
    await hypervisor.takeSnapshot(web, order, 'run-1', signal)
    expect(volumesOf(await settled(hypervisor, web, 'run-1'))).toEqual([first?.overlay, second?.base])
  })

  test('the job of a snapshot is seen by its tag, running and then finished', async () => {
    const { hypervisor, hold, release } = await start()
    const web = await vmOf(hypervisor, 'web')
    hold()
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    expect((await look(hypervisor, web)).jobs).toMatchObject([{ tag: 'run-1', state: 'running' }])
    release()
    expect((await settled(hypervisor, web, 'run-1')).jobs).toMatchObject([
      { tag: 'run-1', state: 'finished' },
    ])
  })

  test('what was done under another prefix is not seen', async () => {
    const { hypervisor, fail } = await start()
    const web = await vmOf(hypervisor, 'web')
    fail('web', 'snapshot fails')
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    await settled(hypervisor, web, 'run-1')
    const seen = await hypervisor.observe([web], 'ran-', signal)
    expect([seen.jobs, seen.events]).toEqual([[], []])
  })

  test('another process sees the snapshot but not the job', async () => {
    const { hypervisor, again } = await start()
    const web = await vmOf(hypervisor, 'web')
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    await settled(hypervisor, web, 'run-1')
    const other = await look(await again(), web)
    expect(rowsOf(other)).toMatchObject([{ description: 'of the contract', status: 'ok' }])
    expect(other.jobs).toEqual([])
  })

  test('a second snapshot is refused while one is being made', async () => {
    const { hypervisor, hold, release } = await start()
    const web = await vmOf(hypervisor, 'web')
    hold()
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    expect(await refusalOf(hypervisor.takeSnapshot(web, orderFor(web), 'run-2', signal))).toBeLessThan(500)
    release()
    expect(rowsOf(await settled(hypervisor, web, 'run-1'))).toHaveLength(1)
  })

  test('a snapshot of a VM that is gone is refused', async () => {
    const { hypervisor, removeVm } = await start()
    const web = await vmOf(hypervisor, 'web')
    removeVm('web')
    expect(await refusalOf(hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal))).toBeLessThan(500)
  })

  test('a snapshot of a disk that the VM does not have is refused and leaves no row', async () => {
    const { hypervisor } = await start()
    const [web, db] = [await vmOf(hypervisor, 'web'), await vmOf(hypervisor, 'db')]
    expect(await refusalOf(hypervisor.takeSnapshot(web, orderFor(db), 'run-1', signal))).toBeLessThan(500)
    expect((await look(hypervisor, web)).vms.get(web.id)).toEqual(web)
  })

  test('a snapshot whose answer was lost is not asked for again, and the error has no status', async () => {
    const { hypervisor, fail } = await start()
    const web = await vmOf(hypervisor, 'web')
    fail('web', 'snapshot has no answer')
    expect(await refusalOf(hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal))).toBeUndefined()
    const seen = await settled(hypervisor, web, 'run-1')
    expect(rowsOf(seen)).toMatchObject([{ description: 'of the contract', status: 'ok' }])
  })

  test('a snapshot that failed leaves no row and the bases, and an event says so', async () => {
    const { hypervisor, fail } = await start()
    const web = await vmOf(hypervisor, 'web')
    fail('web', 'snapshot fails')
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    const seen = await settled(hypervisor, web, 'run-1')
    expect(seen.vms.get(web.id)).toEqual(web)
    expect(seen.jobs).toMatchObject([{ tag: 'run-1', state: 'failed' }])
    expect(meaningsOf(seen)).toEqual(['run-1 snapshot failed'])
  })

  test('a doubtful snapshot stays, on its overlays, and an event says so', async () => {
    const { hypervisor, fail } = await start()
    const web = await vmOf(hypervisor, 'web')
    fail('web', 'snapshot is doubtful')
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    const seen = await settled(hypervisor, web, 'run-1')
    expect(rowsOf(seen)).toMatchObject([{ status: 'ok' }])
    expect(volumesOf(seen)).toEqual(orderFor(web).overlays.map(({ overlay }) => overlay))
    expect(meaningsOf(seen)).toContain('run-1 snapshot doubtful')
  })
}
