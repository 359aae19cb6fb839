import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { leftovers } from '../../src/lab/demo/proof.ts'
import { configWith, labFor, runAgent } from './agent.ts'
import { recoverAgent } from './crash.ts'

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-state', '--vms', '1', '--rate', '50')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

const inNode = (node: string, script: string) => lab.run(node, 'sh', '-c', script)

test('a state directory whose disk fills up in mid-run costs nothing, since the ledger has its room', async () => {
  await inNode('gp1', 'mkdir -p /run/tiny && mount -t tmpfs -o size=2m tmpfs /run/tiny')
  const { report, exitCode } = await runAgent(lab.vmbackup('--state-dir', '/run/tiny/state'), {
    step: 'snapshot',
    act: () =>
      inNode('gp1', 'dd if=/dev/zero of=/run/tiny/filler bs=4k 2>/dev/null; test -e /run/tiny/filler'),
  })
  expect(await inNode('gp1', 'df --output=avail /run/tiny | tail -1')).toMatch(/^\s*0\s*$/)
  expect(report.error).toBeUndefined()
  expect(exitCode).toBe(0)
  expect(report.leftOpen).toEqual([])
  expect(await leftovers(lab)).toEqual([])
  await inNode('gp1', 'umount /run/tiny')
})

test('of two machines with one state directory on Gluster one runs, and the other takes over when that one is killed', async () => {
  const shared = 'glusterfs --volfile-server=gp1 --volfile-id=shared /run/shared'
  const make =
    'gluster --mode=script volume create shared gp1:/bricks/shared force && gluster volume start shared'
  await inNode('gp1', `mkdir -p /run/shared && ${make} && ${shared}`)
  await inNode('admin', `mkdir -p /run/shared && ${shared}`)
  const config = await configWith(lab, (text) =>
    text
      .replace('[gluster]', '[gluster]\ncommand = ssh -o BatchMode=yes root@gp1')
      .replace(/^\[state\]$/m, '[state]\nlease = 5s')
      .replace(/^dir = .*$/m, 'dir = /run/shared/state'),
  )
  const here: [string, ...string[]] = [...lab.vmbackup(), '--config', config]
  const [file, ...args] = here
  const there = [file, ...args.map((word) => (word === 'gp1' ? 'admin' : word))]

  let second: Awaited<ReturnType<typeof runAgent>> | undefined
  const first = runAgent(here, {
    step: 'replicate',
    async act() {
      second = await runAgent(there)
      await inNode('gp1', "pkill -KILL -f '[s]rc/main.ts'")
    },
  })
  // It was killed, so it could not say anything.
  await expect(first).rejects.toThrow('JSON')
  expect(second).toMatchObject({ exitCode: 5, report: { outcome: 'locked' } })
  expect(second?.report.error?.message).toMatch(/on volume data is going on: pid \d+ on gp1 since/)

  // The brick lets go of a dead client's locks; the lease of that machine is waited for.
  const ended = await untilRun(there)
  expect(ended).toMatchObject({ exitCode: 0, report: { outcome: 'protected' } })
  expect(ended.report.warnings.join()).toContain('only vmbackup on that machine can see')
  expect(ended.report.leftOpen).toEqual([])

  const recovery = await recoverAgent(lab, '--config', config)
  expect(recovery.exitCode).toBe(0)
  expect(recovery.pairs[0]?.found.map(({ what, state }) => [what.replace(/ .*/, ''), state])).toEqual([
    ['unmount', 'settled'],
  ])
  for (const node of ['gp1', 'admin']) await inNode(node, 'umount /run/shared')
  expect(await leftovers(lab)).toEqual([])
})

/** Starts the agent until it is not turned away any more. */
async function untilRun(argv: readonly string[]) {
  for (const end = Date.now() + 120_000; ; await pause(1_000)) {
    const ended = await runAgent(argv)
    if (ended.exitCode !== 5 || Date.now() > end) return ended
  }
}
