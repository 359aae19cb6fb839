import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { replicateByHand } from '../../src/lab/demo/by-hand.ts'
import { leftovers, proveSecondary, sameAtBothEnds } from '../../src/lab/demo/proof.ts'
import { configWith, glusterHistory, labFor, runAgent } from './agent.ts'

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-run', '--vms', '1', '--rate', '50')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

// Without "write manifest", which is over before a signal can come.
const steps = ['preflight', 'snapshot', 'replicate', 'compare', 'merge']
const moreSteps = ['update OVF store', 'withdraw earlier points', 'look again', 'prove']
const every = process.env['VMBACKUP_TEST_ALL'] === 'yes'
/** What may have been sent to the engine although nothing was touched. */
const harmless = /\/sso\/|\/services\/sso-logout|\/api(\/v4)?\/events(\?|$)/

async function closingEvents(run: string): Promise<{ severity: string; description: string }[]> {
  const { exec } = lab.status
  expect(exec.length).toBeGreaterThan(0)
  const requests = (await lab.control('GET', '/requests')) as {
    requests: { method: string; path: string; status: number; body?: string }[]
  }
  return requests.requests
    .filter(({ method, path, status }) => method === 'POST' && path.includes('/events') && status < 300)
    .map(({ body }) => JSON.parse(body ?? '{}') as { severity: string; description: string })
    .filter(({ description }) => description.includes(run))
}

async function sessionState(): Promise<string> {
  const { primary, secondary } = lab.status
  const pair = [primary.volume, `${secondary.host}::${secondary.volume}`]
  const text = await lab.run(
    'gp1',
    'gluster',
    '--mode=script',
    'volume',
    'geo-replication',
    ...pair,
    'status',
    '--xml',
  )
  return [...text.matchAll(/<status>([^<]*)</g)].map((match) => match[1]).join()
}

describe('a run on real Gluster', () => {
  test('copies without snapshots come out torn, so the proof can fail', async () => {
    await replicateByHand(lab)
    const verdicts = (await proveSecondary(lab)).map(({ verdict }) => verdict.verdict)
    expect(verdicts).toContain('torn')
  })

  test('makes every copy exactly one moment of its VM, and leaves nothing behind', async () => {
    const before = await lab.writers()
    const { exitCode, report } = await runAgent(lab.vmbackup())
    const after = await lab.writers()
    expect(report.error).toBeUndefined()
    expect(exitCode).toBe(0)
    expect(report.vms.map(({ name, state }) => [name, state])).toEqual([
      ['extra', 'protected'],
      ['HostedEngine', 'left out'],
      ['idle', 'protected'],
      ['special', 'protected'],
      ['vm1', 'protected'],
    ])
    const proved = new Map(
      (await proveSecondary(lab, { before, after })).map(({ vm, verdict }) => [vm.name, verdict.verdict]),
    )
    for (const vm of report.vms) {
      if (vm.state === 'protected' && vm.consistency !== 'offline') {
        expect([vm.name, proved.get(vm.name)]).toEqual([vm.name, 'exactly'])
      }
    }
    const idle = report.vms.filter((vm) => vm.name === 'idle').map(({ id }) => id)
    expect([...(await sameAtBothEnds(lab, idle)).values()]).toEqual([true])
    expect(await leftovers(lab)).toEqual([])
    expect(await sessionState()).toBe('Stopped')
    expect(await closingEvents(report.run)).toMatchObject([{ severity: 'normal' }])
  })

  test('works away from a Gluster node, with commands over ssh', async () => {
    const config = await configWith(lab, (text) =>
      text.replace('[gluster]', '[gluster]\ncommand = ssh -o BatchMode=yes root@gp1'),
    )
    const [file, ...args] = lab.vmbackup()
    const argv = [file, ...args.map((word) => (word === 'gp1' ? 'admin' : word)), '--config', config]
    const { exitCode, report } = await runAgent(argv)
    expect(report.error).toBeUndefined()
    expect(exitCode).toBe(0)
    expect(await leftovers(lab)).toEqual([])
  })
})

describe('a run that is told to end', () => {
  for (const step of every ? [...steps, ...moreSteps] : steps) {
    test(`in "${step}" settles everything, posts its event and exits with 130`, async () => {
      const { exitCode, report } = await runAgent(lab.vmbackup(), { step })
      expect(report.outcome).toBe('cancelled')
      expect(exitCode).toBe(130)
      expect(report.leftOpen).toEqual([])
      expect(await leftovers(lab)).toEqual([])
      expect(await sessionState()).toBe('Stopped')
      expect(await closingEvents(report.run)).toMatchObject([{ severity: 'alert' }])
    })
  }
})

describe('a run that cannot succeed', () => {
  async function expectRefused(argv: readonly string[], exitCode: number, ...words: string[]) {
    await lab.control('DELETE', '/requests')
    const history = (await glusterHistory(lab)).length
    const ended = await runAgent(argv)
    const told = JSON.stringify(ended.report.error)
    for (const word of words) expect(told).toContain(word)
    expect(ended.report.error?.hint).toBeTruthy()
    expect(ended.exitCode).toBe(exitCode)
    const changes = (await lab.requests('changes')).filter(({ path }) => !harmless.test(path))
    expect(changes).toEqual([])
    const commands = (await glusterHistory(lab)).slice(history)
    expect(
      commands.filter((line) => / (start|stop|pause|resume|create|delete|set) /.test(`${line} `)),
    ).toEqual([])
    expect(commands.filter((line) => /config \S+ [^:\s]/.test(line))).toEqual([])
  }
  const words = (...names: string[]): string[] => {
    const [file, ...args] = lab.vmbackup()
    const { primary, secondary } = lab.status
    const at = args.lastIndexOf(primary.volume)
    expect(args[at + 2]).toBe(secondary.volume)
    return [file, ...args.slice(0, at), ...names, ...args.slice(at + 3)]
  }

  test('is refused when the CA is not the one of the engine', async () => {
    const other = join(lab.status.dir, 'other-ca.pem')
    await lab.run(
      'gp1',
      'sh',
      '-c',
      `openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout /dev/null -out ${other} 2>&1`,
    )
    const config = await configWith(lab, (text) => text.replace(/^ca_file = .*$/m, `ca_file = ${other}`))
    await expectRefused([...lab.vmbackup(), '--config', config], 4, 'certificate', 'ca_file')
    await rm(other)
  })

  test('is refused when the password is wrong', async () => {
    const config = await configWith(lab, (text) => text.replace(/^password_file = .*$/m, 'password = wrong'))
    await expectRefused([...lab.vmbackup(), '--config', config], 4, 'admin@internal')
  })

  test('is refused when the volume does not exist', async () => {
    await expectRefused(words('nosuch', 'gs1', 'data-dr'), 4, 'nosuch')
  })

  test('is refused when the session does not exist', async () => {
    await expectRefused(words('data', 'gs1', 'nosuch'), 4, 'nosuch')
  })

  test('is refused when the configuration has a typo, with file and line', async () => {
    const config = await configWith(lab, (text) => text.replace('wait_timeout', 'wait_timout'))
    await expectRefused(
      [...lab.vmbackup(), '--config', config],
      2,
      `${config}:`,
      'wait_timout',
      'wait_timeout',
    )
  })

  test('is refused when the secondary is down', async () => {
    const secondary = lab.status.nodes.find((node) => node.name === 'gs1')
    await lab.run('gs1', 'sh', '-c', 'ip link set eth0 down')
    try {
      expect(secondary).toBeDefined()
      await expectRefused(lab.vmbackup(), 4, 'gs1')
    } finally {
      await lab.run('gs1', 'sh', '-c', 'ip link set eth0 up')
    }
  })
})
