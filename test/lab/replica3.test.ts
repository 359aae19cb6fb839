import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { leftovers, proveSecondary } from '../../src/lab/demo/proof.ts'
import { labFor, runAgent } from './agent.ts'

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-replica3', '--layout', 'replica3', '--shard', 'on', '--vms', '1', '--rate', '30')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

test('three replicas and sharding: every copy is one moment of its VM, nothing is left, no shard leaks', async () => {
  const before = await lab.writers()
  const { exitCode, report } = await runAgent(lab.vmbackup())
  const after = await lab.writers()
  expect(report.error).toBeUndefined()
  expect(exitCode).toBe(0)
  const proved = new Map(
    (await proveSecondary(lab, { before, after })).map(({ vm, verdict }) => [vm.id, verdict]),
  )
  const running = report.vms.filter((vm) => vm.state === 'protected' && vm.consistency === 'crash')
  expect(running.map((vm) => [vm.name, proved.get(vm.id)?.verdict])).toEqual([
    ['extra', 'exactly'],
    ['special', 'exactly'],
    ['vm1', 'exactly'],
  ])
  expect(await leftovers(lab)).toEqual([])
  expect(
    await lab.run('gs1', 'sh', '-c', 'ls -A /bricks/data-dr/.shard/.remove_me 2>/dev/null || true'),
  ).toBe('')
})
