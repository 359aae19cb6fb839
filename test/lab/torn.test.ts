import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { leftovers, proveSecondary, sameAtBothEnds } from '../../src/lab/demo/proof.ts'
import type { Report } from '../../src/run/report.ts'
import { labFor, runAgent, verifyAgent } from './agent.ts'
import { judgeSecondary } from './judge-secondary.ts'

// What happens to VMs while they are copied, and merges that do not end. One brick, not sharded.

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-torn', '--vms', '2', '--rate', '50')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

async function idOf(name: string): Promise<string> {
  const { vms } = await lab.world()
  return vms.find((vm) => vm.name === name)?.id ?? ''
}

function becameOf(report: Report): Record<string, string> {
  return Object.fromEntries(
    report.vms.map((vm) => [vm.name, vm.why === undefined ? vm.state : `${vm.state}: ${vm.why}`]),
  )
}

/** An engine at the second site, and the VMs' own writers, find nothing wrong with what the report claims. */
async function expectClaimsHold(report: Report): Promise<void> {
  const claimed = report.vms.filter(({ state }) => state === 'protected')
  const judgement = await judgeSecondary(lab)
  expect(judgement.why).toEqual([])
  const proved = await proveSecondary(lab)
  for (const { id, name } of claimed) {
    expect([name, judgement.vms.get(id)]).toMatchObject([
      name,
      { registers: true, starts: true, canSnapshot: true },
    ])
    const verdict = proved.find(({ vm }) => vm.id === id)?.verdict.verdict
    // The disk of idle had other content before its writer began.
    if (verdict !== undefined && name !== 'idle') expect([name, verdict]).toEqual([name, 'exactly'])
  }
  const { point } = await verifyAgent(lab)
  expect(point).toMatchObject({ run: report.run, verdict: 'proved' })
  const proofs = point?.vms.filter(({ verdict }) => verdict === 'proved').map(({ name }) => name)
  expect(proofs).toEqual(claimed.map(({ name }) => name))
}

test('what moves under the copy is reported torn, what only looks so is remarked, and the store names no overlay', async () => {
  const extra = await idOf('extra')
  const snapshots = `/vms/${extra}/snapshots`
  const foreign = (await lab.api('POST', snapshots, { description: 'before the upgrade' })) as { id: string }
  await expect
    .poll(async () => JSON.stringify(await lab.api('GET', `${snapshots}/${foreign.id}`)), { timeout: 60_000 })
    .toContain('"snapshot_status":"ok"')

  const { report, stderr } = await runAgent(lab.vmbackup(), {
    step: 'replicate',
    async act() {
      await lab.control('POST', '/vms/idle/start')
      await lab.control('POST', '/vms/vm1/hotplug')
      await lab.api('DELETE', `${snapshots}/${foreign.id}`)
      await lab.control('POST', '/vms/special/pause', { reason: 'no space' })
      // The engine writes its documents now, while every disk runs on an overlay.
      await lab.control('POST', '/ovf-timer')
    },
  })
  expect(becameOf(report)).toEqual({
    HostedEngine: expect.stringContaining('left out: hosted engine'),
    extra: expect.stringMatching(
      /^failed: torn: a snapshot that it had is being merged or was merged during the run/,
    ),
    idle: expect.stringMatching(/^failed: torn: the VM was down and is .*: started during the run at 20/),
    special: expect.stringMatching(
      /^protected: .*paused on an error at 20\S+, which its frozen disks do not show/,
    ),
    vm1: expect.stringMatching(/^failed: torn: disk .* was added during the run at 20/),
    vm2: 'protected',
  })
  expect(stderr).toMatch(/OVF_STORE \S+ was written during the run: put back/)
  await expectClaimsHold(report)

  await lab.control('POST', '/vms/special/resume')
  await lab.control('POST', '/vms/idle/stop')
  const next = await runAgent(lab.vmbackup())
  expect(becameOf(next.report)).toMatchObject({ extra: 'protected', idle: 'protected', vm1: 'protected' })
  await expectClaimsHold(next.report)
  expect(await leftovers(lab)).toEqual([])
})

// Three whole runs.
test('a merge that fails for ever leaves right points behind it, and both sides clean when it succeeds at last', async () => {
  await lab.control('POST', '/faults', { at: 'merge', effect: 'fails', vm: 'vm2', times: 0 })
  const first = await runAgent(lab.vmbackup())
  expect(first.report.leftOpen.map(({ what }) => what).join()).toContain('vm2')
  await expectClaimsHold(first.report)
  const second = await runAgent(lab.vmbackup())
  expect(second.report.leftOpen.map(({ what }) => what).join()).toContain('vm2')
  await expectClaimsHold(second.report)
  expect(becameOf(second.report)).toMatchObject({ extra: 'protected', vm1: 'protected' })

  await lab.control('DELETE', '/faults')
  const third = await runAgent(lab.vmbackup())
  expect(becameOf(third.report)).toMatchObject({ vm2: 'protected' })
  expect(third.report.leftOpen).toEqual([])
  await expectClaimsHold(third.report)
  expect(await leftovers(lab)).toEqual([])
  const idle = await idOf('idle')
  expect([...(await sameAtBothEnds(lab, [idle])).values()]).toEqual([true])
}, 600_000)
