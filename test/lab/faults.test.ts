import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { leftovers } from '../../src/lab/demo/proof.ts'
import { configWith, expectProtected, inNode, labFor, runAgent } from './agent.ts'

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-faults', '--vms', '1', '--rate', '50')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})
afterEach(async () => {
  await lab.control('DELETE', '/faults')
})

const fault = (order: object) => lab.control('POST', '/faults', order)

test('an engine that restarts, breaks connections, is busy, loses answers, tokens and jobs costs no VM', async () => {
  const requests = { at: 'request', match: { path: '.*/api.*' } }
  const acts = { match: { method: 'POST|DELETE', path: '.*/snapshots.*' } }
  const page = { body: '<html><title>503</title></html>', contentType: 'text/html' }
  await fault({
    ...requests,
    match: { method: 'GET' },
    skip: 12,
    times: 4,
    effect: { kind: 'status', status: 503, ...page },
  })
  await fault({ ...requests, match: { method: 'GET' }, skip: 25, times: 3, effect: { kind: 'drop' } })
  await fault({ ...requests, skip: 8, effect: { kind: 'html 401' } })
  await fault({ at: 'request', ...acts, times: 3, effect: { kind: 'conflict' } })
  await fault({ at: 'response', ...acts, skip: 2, effect: { kind: 'drop' } })
  await fault({ at: 'job', effect: 'vanishes', times: 2 })
  await fault({ at: 'merge', effect: 'fails' })
  await fault({ at: 'merge', effect: 'row stays' })
  await expectProtected(lab, { step: 'replicate', act: () => lab.control('DELETE', '/tokens') })
  const { faults } = (await lab.control('GET', '/faults')) as { faults: { struck: number }[] }
  expect(faults.map(({ struck }) => struck > 0)).toEqual(faults.map(() => true))
})

test('sshd and a brick of the secondary may be away for a while', async () => {
  await expectProtected(lab, {
    step: 'replicate',
    async act() {
      await inNode(lab, 'gs1', 'pkill -x sshd')
      await pause(8_000)
      await inNode(lab, 'gs1', '/usr/sbin/sshd -E /var/log/glusterfs/sshd.log')
      await inNode(lab, 'gs1', 'pkill -x glusterfsd')
      await pause(5_000)
      await inNode(lab, 'gs1', 'gluster --mode=script volume start data-dr force')
    },
  })
})

test('glusterd of either site may be away when the session is to start', async () => {
  await expectProtected(lab, {
    step: 'withdraw earlier points',
    async act() {
      // With the secondary's glusterd away a start answers "successful" and starts nothing.
      await Promise.all([inNode(lab, 'gs1', 'pkill -x glusterd'), inNode(lab, 'gp1', 'pkill -x glusterd')])
      await pause(3_000)
      await inNode(lab, 'gp1', 'glusterd -p /run/glusterd.pid')
      await pause(6_000)
      await inNode(lab, 'gs1', 'glusterd -p /run/glusterd.pid')
    },
  })
})

test('a primary volume that fills up while overlays live ends the run, and its snapshots are merged', async () => {
  const free = Number((await inNode(lab, 'gp1', 'df --output=avail -B1 /bricks/data | tail -1')).trim())
  const config = await configWith(lab, (text) =>
    text.replace('[snapshot]', `[snapshot]\nmin_free = ${free - 2 ** 30}`),
  )
  try {
    const { report, exitCode } = await runAgent([...lab.vmbackup(), '--config', config], {
      step: 'replicate',
      act: () => inNode(lab, 'gp1', 'fallocate -l 2G /bricks/filler'),
    })
    expect(report.error?.message).toContain('less than [snapshot] min_free')
    expect(exitCode).toBe(1)
    expect(report.leftOpen).toEqual([])
    expect(await leftovers(lab)).toEqual([])
  } finally {
    await inNode(lab, 'gp1', 'rm -f /bricks/filler')
  }
})
