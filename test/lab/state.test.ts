import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { leftovers } from '../../src/lab/demo/proof.ts'
import { configWith, inNode, labFor, runAgent } from './agent.ts'
import { isKilledAt, recoverAgent } from './crash.ts'

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-state', '--vms', '1', '--rate', '50')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

test('a state directory whose disk fills up in mid-run costs nothing, since the ledger has its room', async () => {
  await inNode(lab, 'gp1', 'mkdir -p /run/tiny && mount -t tmpfs -o size=2m tmpfs /run/tiny')
  const { report, exitCode } = await runAgent(lab.vmbackup('--state-dir', '/run/tiny/state'), {
    step: 'snapshot',
    // It ends when there is no byte left, and only then.
    act: () => inNode(lab, 'gp1', '! dd if=/dev/zero of=/run/tiny/filler bs=4k 2>/dev/null'),
  })
  expect(report.error).toBeUndefined()
  expect(exitCode).toBe(0)
  expect(report.leftOpen).toEqual([])
  expect(await leftovers(lab)).toEqual([])
  await inNode(lab, 'gp1', 'umount /run/tiny')
})

test('of two machines with one state directory on Gluster one runs, and the other takes over when that one is killed', async () => {
  const shared = 'glusterfs --volfile-server=gp1 --volfile-id=shared /run/shared'
  const make =
    'gluster --mode=script volume create shared gp1:/bricks/shared force && gluster volume start shared'
  await inNode(lab, 'gp1', `mkdir -p /run/shared && ${make} && ${shared}`)
  await inNode(lab, 'admin', `mkdir -p /run/shared && ${shared}`)
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
      await inNode(lab, 'gp1', "pkill -KILL -f '[s]rc/main.ts'")
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
  const found = recovery.pairs[0]?.found.map(({ what, state }) => [what.replace(/\/.*\/|-\w+$/g, ''), state])
  // What the killed run had mounted on its machine before any guest wrote to an overlay.
  expect(found?.toSorted()).toEqual([
    ['unmount of primary', 'settled'],
    ['unmount of secondary', 'settled'],
  ])
  for (const node of ['gp1', 'admin']) await inNode(lab, node, 'umount /run/shared')
  expect(await leftovers(lab)).toEqual([])
})

test('neither the password nor a token is in what a run prints, logs, leaves, tells or starts', async () => {
  const config = await configWith(
    lab,
    (text) => `${text}\n[logging]\nfile = ${lab.status.dir}/state/agent.log\nlevel = trace\n`,
  )
  const argv: [string, ...string[]] = [...lab.vmbackup(), '--config', config]
  // All that anybody could see of the processes, again and again while the agent runs.
  const look = 'while test ! -e /run/seen.stop; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; done'
  const watching = inNode(lab, 'gp1', `${look} > /run/seen 2>/dev/null; true`)
  const failing = await configWith(lab, (text) => text.replace(/^server = .*$/m, 'server = https://gs1'))
  const ended = await runAgent(argv)
  const refused = await runAgent([...argv, '--config', failing])
  await writeFile(join(lab.status.dir, 'state', 'printed'), JSON.stringify([ended, refused]))
  expect(await isKilledAt(lab, 'after:20')).toBe(true)
  await recoverAgent(lab)
  await inNode(lab, 'gp1', 'touch /run/seen.stop')
  await watching
  const told = await Promise.all(['/events', '/jobs'].map((path) => lab.api('GET', path)))
  await writeFile(join(lab.status.dir, 'state', 'told'), JSON.stringify(told))
  expect([ended.exitCode, refused.exitCode]).toEqual([0, 4])

  const { tokens } = (await lab.control('GET', '/tokens')) as { tokens: string[] }
  const password = (await readFile(join(lab.status.dir, 'password'), 'utf8')).trim()
  expect(tokens.length).toBeGreaterThan(2)
  const secrets = join(lab.status.dir, 'secrets')
  await writeFile(secrets, [password, ...tokens, Buffer.from(password).toString('base64')].join('\n'))
  await using secondary = await lab.mount('gs1', lab.status.secondary.volume)
  const search = `grep -rlFf ${secrets}`
  const places = `${lab.status.dir}/state ${lab.status.dir}/nodes /run /var/log/glusterfs`
  // The control: a search that finds nothing anywhere would prove nothing.
  expect(await inNode(lab, 'gp1', `${search} ${lab.status.dir}/password`)).toContain('password')
  expect(Number(await inNode(lab, 'gp1', 'wc -c < /run/seen'))).toBeGreaterThan(10_000)
  expect(await inNode(lab, 'gp1', `${search} ${places} || true`)).toBe('')
  expect(await inNode(lab, 'gs1', `${search} ${secondary.dir}/vmbackup || true`)).toBe('')
})

/** Starts the agent until it is not turned away any more. */
async function untilRun(argv: readonly string[]) {
  for (const end = Date.now() + 120_000; ; await pause(1_000)) {
    const ended = await runAgent(argv)
    if (ended.exitCode !== 5 || Date.now() > end) return ended
  }
}
