import { expect, test } from 'vitest'
import { signal, vmOf, vmstore } from './hypervisor-looks.ts'
import type { MakeSubject } from './hypervisor-subject.ts'

/** Sign-on, storage domains and VMs. */
export function inventoryContract(start: MakeSubject): void {
  test('signs on and names the engine', async () => {
    const { hypervisor } = await start()
    expect(await hypervisor.about(signal)).toMatch(/\w+ engine/i)
  })

  test('finds no error in a healthy engine', async () => {
    const { hypervisor } = await start()
    expect((await hypervisor.findings(signal)).filter(({ severity }) => severity === 'error')).toEqual([])
  })

  test('tells where the storage domain is kept and that it is active', async () => {
    const { hypervisor } = await start()
    expect(await vmstore(hypervisor)).toMatchObject({
      type: 'glusterfs',
      address: expect.stringMatching(/./),
      path: expect.stringMatching(/^\/./),
      dataCenterId: expect.stringMatching(/./),
      status: 'active',
    })
  })

  test('lists the VMs with a disk on the domain, also those that are down, and no others', async () => {
    const { hypervisor } = await start()
    const vms = await hypervisor.vms(await vmstore(hypervisor), signal)
    expect(vms.map(({ name, status }) => `${name} ${status}`).sort()).toEqual([
      'db up',
      'idle down',
      'mixed up',
      'web up',
    ])
  })

  test('lists all VMs of a domain that holds many', async () => {
    const { hypervisor } = await start(230)
    expect(await hypervisor.vms(await vmstore(hypervisor), signal)).toHaveLength(234)
  })

  test('lists all disks of a VM, also those on other domains, each with its active volume', async () => {
    const { hypervisor } = await start()
    const { disks } = await vmOf(hypervisor, 'mixed')
    const { id } = await vmstore(hypervisor)
    expect(disks.map(({ domains }) => domains.includes(id)).sort()).toEqual([false, true])
    for (const disk of disks) {
      expect(disk).toMatchObject({ kind: 'image', plugged: true, shareable: false, status: 'ok' })
      expect(disk.volume).toMatch(/./)
      expect(disk.sizeBytes).toBeGreaterThan(0)
    }
  })

  test('says that a VM is gone only of one that is not there', async () => {
    const { hypervisor } = await start()
    expect(await hypervisor.isGone(await vmOf(hypervisor, 'idle'), signal)).toBe(false)
    const id = '00000000-0000-4000-8000-00000000dead'
    expect(await hypervisor.isGone({ id, name: 'gone' }, signal)).toBe(true)
  })

  test('lists one active row for a VM without snapshots', async () => {
    const { hypervisor } = await start()
    expect((await vmOf(hypervisor, 'idle')).snapshots).toMatchObject([{ kind: 'active', status: 'ok' }])
  })

  test('sees the VMs asked for, and misses one that was removed', async () => {
    const { hypervisor, removeVm } = await start()
    const [web, db] = [await vmOf(hypervisor, 'web'), await vmOf(hypervisor, 'db')]
    expect([...(await hypervisor.observe([web, db], 'run-', signal)).vms]).toEqual([
      [web.id, web],
      [db.id, db],
    ])
    removeVm('db')
    expect([...(await hypervisor.observe([web, db], 'run-', signal)).vms.keys()]).toEqual([web.id])
  })
}
