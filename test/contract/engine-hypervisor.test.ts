import { afterEach, describe, expect, test } from 'vitest'
import { hypervisorContract } from './hypervisor.ts'
import { look, orderFor, rowsOf, settled, signal, stateOf, vmOf, vmstore } from './hypervisor-looks.ts'
import { createLabHypervisor, type EngineAnswers } from './lab-hypervisor.ts'

const engines: EngineAnswers[] = [
  { version: '4.3.10.4-1.el7', createAnswers: 202, removedVanishes: 'when merged' },
  { version: '4.4.10.7-1.el8', createAnswers: 201, removedVanishes: 'at once' },
  { version: '4.5.6-1.el9', createAnswers: 202, removedVanishes: 'at once' },
]

for (const answers of engines) {
  const { version, createAnswers, removedVanishes } = answers
  const name = `an engine ${version} that answers ${createAnswers} and drops rows ${removedVanishes}`
  hypervisorContract(name, (more) => createLabHypervisor(answers, more))
}

describe('the client of the engine', () => {
  const labs: Awaited<ReturnType<typeof createLabHypervisor>>[] = []
  afterEach(async () => {
    for (const lab of labs.splice(0)) await lab[Symbol.asyncDispose]()
  })
  async function start(more?: number) {
    const lab = await createLabHypervisor(
      { version: '4.5.6-1.el9', createAnswers: 201, removedVanishes: 'at once' },
      more,
    )
    labs.push(lab)
    return lab
  }
  const strike = (method: string, path: string) => ({ at: 'request' as const, match: { method, path } })

  test.each(engines)('names the engine $version without its build', async (answers) => {
    const lab = await createLabHypervisor(answers)
    labs.push(lab)
    const numbers = answers.version
      .split('.')
      .slice(0, 3)
      .map((part) => Number.parseInt(part, 10))
    expect(await lab.hypervisor.about(signal)).toBe(`oVirt Engine ${numbers.join('.')}`)
  })

  test('looks at 100 VMs, their jobs and events with three requests', async () => {
    const { hypervisor, log } = await start(96)
    const vms = await hypervisor.vms(await vmstore(hypervisor), signal)
    for (const vm of vms.slice(0, 10)) {
      await hypervisor.takeSnapshot(vm, orderFor(vm), `run-${vm.name}`, signal)
    }
    log.clear()
    const seen = await hypervisor.observe(vms, 'run-', signal)
    expect([seen.vms.size, seen.jobs.length]).toEqual([100, 10])
    expect(log.entries().map(({ method }) => method)).toEqual(['GET', 'GET', 'GET'])
  })

  test('sees the end of a snapshot whose job the engine has lost', async () => {
    const { hypervisor, world } = await start()
    const web = await vmOf(hypervisor, 'web')
    world.faults.arm({ at: 'job', effect: 'vanishes' })
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    const seen = await settled(hypervisor, web, 'run-1')
    expect(seen.jobs).toEqual([])
    expect(rowsOf(seen)).toMatchObject([{ status: 'ok' }])
  })

  test('an act that was first refused as busy has its job and events under its own tag', async () => {
    const { hypervisor, world, fail } = await start()
    const web = await vmOf(hypervisor, 'web')
    fail('web', 'snapshot fails')
    world.faults.arm({ ...strike('POST', '.*/snapshots.*'), effect: { kind: 'conflict' }, times: 2 })
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    const seen = await settled(hypervisor, web, 'run-1')
    expect(stateOf(seen, 'run-1')).toBe('failed')
    expect(seen.events.filter(({ meaning }) => meaning).map(({ tag }) => tag)).toEqual(['run-1'])
  })

  test('takes a snapshot for gone when that is seen only as the removal is checked', async () => {
    const { hypervisor, world } = await start()
    const web = await vmOf(hypervisor, 'web')
    const id = await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    await settled(hypervisor, web, 'run-1')
    // The engine looks the snapshot up first, then validates again under its lock (RemoveSnapshotCommand).
    const detail = "[Cannot remove Snapshot. VM's Snapshot does not exist.]"
    const body = JSON.stringify({ reason: 'Operation Failed', detail })
    const effect = { kind: 'status', status: 400, body, contentType: 'application/json' } as const
    world.faults.arm({ ...strike('DELETE', '.*/snapshots/.*'), effect })
    await hypervisor.removeSnapshot(web, id, 'run-2', signal)
    expect((await look(hypervisor, web)).jobs.map(({ tag }) => tag)).toEqual(['run-1'])
  })

  test('a tag whose making had no answer is made once, and put on', async () => {
    const { hypervisor, world, log } = await start()
    const web = await vmOf(hypervisor, 'web')
    const match = { method: 'POST', path: '/ovirt-engine/api/tags' }
    world.faults.arm({ at: 'response', match, effect: { kind: 'drop' } })
    await hypervisor.tag(web, 'gold', signal)
    const asked = log.entries().filter(({ method, path }) => method === 'POST' && path.endsWith('/api/tags'))
    expect([asked.length, [...world.tags.values()].map(({ name }) => name)]).toEqual([2, ['root', 'gold']])
    expect(await hypervisor.tagged('gold', signal)).toEqual([{ id: web.id, name: 'web' }])
  })

  test('closes without an error when the engine has gone', async () => {
    const { hypervisor, served } = await start()
    await hypervisor.about(signal)
    await served[Symbol.asyncDispose]()
    await expect(hypervisor.close()).resolves.toBeUndefined()
  })
})
