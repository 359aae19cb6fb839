import { expect, test } from 'vitest'
import { protectVms, unprotectVms } from '../../src/agent/protect.ts'
import { resolveSelection } from '../../src/backup/select.ts'
import type { Hypervisor } from '../../src/model/hypervisor.ts'
import type { VmRef } from '../../src/model/vm.ts'
import { signal, vmOf, vmstore } from './hypervisor-looks.ts'
import type { MakeSubject } from './hypervisor-subject.ts'

const namesOf = (refs: readonly VmRef[]) => refs.map(({ name }) => name).sort()

async function tagged(hypervisor: Hypervisor, tag: string): Promise<string[]> {
  return namesOf(await hypervisor.tagged(tag, signal))
}

async function refOf(hypervisor: Hypervisor, name: string): Promise<VmRef> {
  const [found] = await hypervisor.findVms([name], signal)
  if (found === undefined) throw new Error(`there is no VM ${name}`)
  return found
}

/** Tags, clusters, and VMs by name. */
export function tagContract(start: MakeSubject): void {
  test('a VM carries a tag from when it is put on until it is taken off', async () => {
    const { hypervisor } = await start()
    const [web, db] = [await refOf(hypervisor, 'web'), await refOf(hypervisor, 'db')]
    await hypervisor.tag(web, 'vmbackup-gold', signal)
    await hypervisor.tag(db, 'vmbackup-gold', signal)
    await hypervisor.tag(db, 'vmbackup-silver', signal)
    expect(await tagged(hypervisor, 'vmbackup-gold')).toEqual(['db', 'web'])
    await hypervisor.untag(db, 'vmbackup-gold', signal)
    expect(await tagged(hypervisor, 'vmbackup-gold')).toEqual(['web'])
    expect(await tagged(hypervisor, 'vmbackup-silver')).toEqual(['db'])
  })

  test('tags are kept in the engine: another process sees them', async () => {
    const { hypervisor, again } = await start()
    await hypervisor.tag(await refOf(hypervisor, 'web'), 'gold', signal)
    expect(await tagged(await again(), 'gold')).toEqual(['web'])
  })

  test('putting a tag on twice and taking it off twice is no error', async () => {
    const { hypervisor } = await start()
    const web = await refOf(hypervisor, 'web')
    await hypervisor.tag(web, 'gold', signal)
    await hypervisor.tag(web, 'gold', signal)
    expect(await tagged(hypervisor, 'gold')).toEqual(['web'])
    await hypervisor.untag(web, 'gold', signal)
    await hypervisor.untag(web, 'gold', signal)
    await hypervisor.untag(web, 'never heard of', signal)
    expect(await tagged(hypervisor, 'gold')).toEqual([])
  })

  test('of a tag that there is not, and of one that no VM carries, nobody', async () => {
    const { hypervisor, addTag } = await start()
    addTag('idle-one')
    expect(await tagged(hypervisor, 'idle-one')).toEqual([])
    expect(await tagged(hypervisor, 'never-heard-of')).toEqual([])
    expect(await tagged(hypervisor, 'name=* or x')).toEqual([])
    expect(await tagged(hypervisor, '*')).toEqual([])
  })

  test('the case of a tag does not count, and no second one is made for it', async () => {
    const { hypervisor, addTag } = await start()
    addTag('VmBackup-Gold')
    const web = await refOf(hypervisor, 'web')
    await hypervisor.tag(web, 'vmbackup-gold', signal)
    expect(await tagged(hypervisor, 'VMBACKUP-GOLD')).toEqual(['web'])
    await hypervisor.untag(web, 'vmBackup-gold', signal)
    expect(await tagged(hypervisor, 'VmBackup-Gold')).toEqual([])
  })

  test('a VM with a tag below another one carries that as well, and keeps its own when the upper one is taken off', async () => {
    const { hypervisor, addTag } = await start()
    addTag('gold')
    addTag('databases', 'gold')
    addTag('postgres', 'databases')
    const db = await refOf(hypervisor, 'db')
    await hypervisor.tag(db, 'postgres', signal)
    await hypervisor.tag(await refOf(hypervisor, 'web'), 'gold', signal)
    expect(await tagged(hypervisor, 'gold')).toEqual(['db', 'web'])
    expect(await tagged(hypervisor, 'databases')).toEqual(['db'])
    await hypervisor.untag(db, 'gold', signal)
    expect(await tagged(hypervisor, 'gold')).toEqual(['db', 'web'])
  })

  test('all VMs with a tag are told, however many, on whatever domain, running or not', async () => {
    const { hypervisor } = await start(210)
    const all = await hypervisor.findVms('all', signal)
    expect(all).toHaveLength(215)
    for (const vm of all) await hypervisor.tag(vm, 'everything', signal)
    expect(await tagged(hypervisor, 'everything')).toEqual(namesOf(all))
  })

  test('VMs are found by id, and by name without case, each once', async () => {
    const { hypervisor } = await start(30)
    const { id } = await vmOf(hypervisor, 'idle')
    const find = async (...names: string[]) => namesOf(await hypervisor.findVms(names, signal))
    expect(await find('WEB', 'elsewhere', id)).toEqual(['elsewhere', 'idle', 'web'])
    expect(await find('idle', id)).toEqual(['idle'])
    expect(await find('w*', 'we', 'x" or name="*', '')).toEqual([])
    expect(await find()).toEqual([])
    const many = Array.from({ length: 30 }, (_, index) => `more${index}`)
    expect(await find(...many)).toEqual(many.toSorted())
  })

  test('tells the cluster of a VM by name', async () => {
    const { hypervisor } = await start()
    const { clusterId } = await vmOf(hypervisor, 'web')
    const clusters = await hypervisor.clusters(signal)
    expect(clusters.filter(({ id }) => id === clusterId)).toEqual([{ id: clusterId, name: 'Default' }])
    expect((await hypervisor.vms(await vmstore(hypervisor), signal)).length).toBeGreaterThan(1)
  })

  test('a policy given to a VM is what a selection by policy finds, until it is taken back', async () => {
    const { hypervisor } = await start()
    const gold = { name: 'gold', tag: 'vmbackup-gold', rpoMs: 3_600_000 }
    const vms = await hypervisor.vms(await vmstore(hypervisor), signal)
    const chosen = async () => {
      const selection = { include: [{ by: 'policy' } as const], exclude: [], excludeDisks: [] }
      const { whyNotSelected } = await resolveSelection(hypervisor, selection, [gold], signal)
      return namesOf(vms.filter((vm) => whyNotSelected(vm) === undefined))
    }
    expect(await chosen()).toEqual([])
    await protectVms(hypervisor, ['web', 'idle', 'elsewhere'], 'gold', [gold], signal)
    expect(await chosen()).toEqual(['idle', 'web'])
    await unprotectVms(hypervisor, ['web'], [gold], signal)
    expect(await chosen()).toEqual(['idle'])
    await protectVms(hypervisor, ['web'], undefined, [gold], signal)
    expect(await chosen()).toEqual(['idle', 'web'])
  })
}
