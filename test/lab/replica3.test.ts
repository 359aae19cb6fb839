import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { leftovers, proveSecondary, sameAtBothEnds } from '../../src/lab/demo/proof.ts'
import { spoiler } from '../../src/lab/spoiler.ts'
import { labFor, runAgent, verifyAgent } from './agent.ts'
import { judgeSecondary } from './judge-secondary.ts'

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
  const running = report.vms.filter((vm) => vm.state === 'protected' && vm.consistency !== 'offline')
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

test('three replicas and sharding: shards that the secondary lost are found, sent again, and the copy is proved', async () => {
  const { vms } = await lab.world()
  // A VM that stands still, so that no new write sends its shards by itself.
  await lab.control('POST', '/vms/special/stop')
  const first = await runAgent(lab.vmbackup())
  expect(first.report.vms.find(({ name }) => name === 'special')).toMatchObject({ consistency: 'offline' })
  {
    await using volume = await spoiler(lab, 'pieces')
    const disk = await volume.diskOf('special')
    await volume.run('rm "$0"', await volume.pieceOf(disk, 1))
    await volume.run('test -s "$0"; truncate -s 0 "$0"', await volume.pieceOf(disk, 2))
  }
  const { report, exitCode } = await runAgent(lab.vmbackup())
  expect(report).toMatchObject({ outcome: 'protected', comparison: { healed: 1 } })
  expect(exitCode).toBe(0)
  const special = vms.find(({ name }) => name === 'special')?.id ?? ''
  expect((await sameAtBothEnds(lab, [special])).get(special)).toBe(true)
  const judgement = await judgeSecondary(lab)
  expect(judgement).toMatchObject({ importable: true, why: [] })
  for (const vm of judgement.vms.values())
    expect(vm).toMatchObject({ registers: true, starts: true, canSnapshot: true })
  expect((await verifyAgent(lab)).point).toMatchObject({ run: report.run, verdict: 'proved' })
  expect(await leftovers(lab)).toEqual([])
})
