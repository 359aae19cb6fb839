import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leftovers, proveSecondary } from '../../src/lab/demo/proof.ts'
import { configWith, labFor } from './agent.ts'
import { daemonConfig } from './daemon-config.ts'
import type { Seen } from './daemon-scenario.ts'

/** With VMBACKUP_TEST_MINUTES=10 ten minutes at least, otherwise no longer than it takes. */
const minutes = process.env['VMBACKUP_TEST_MINUTES'] ?? '1'
const scenario = join(import.meta.dirname, 'daemon-scenario.ts')

describe('the daemon with two jobs under load, killed and started again', () => {
  let lab: Awaited<ReturnType<typeof labFor>>
  let seen: Seen
  beforeAll(async () => {
    lab = await labFor('daemon', '--volumes', '2', '--vms', '2', '--rate', '20')
    const config = await configWith(lab, (text) => text + daemonConfig(lab.status.dir))
    const [file, ...args] = lab.at('gp1', process.execPath, scenario, config, minutes)
    const { stdout } = await execa(file, args, { stderr: 'inherit' })
    seen = JSON.parse(stdout)
    const path = process.env['VMBACKUP_TEST_KEEP']
    if (path !== undefined) await writeFile(path, stdout)
  }, 1_800_000)
  afterAll(async () => lab?.[Symbol.asyncDispose](), 60_000)

  test('answers curl by the rights of its tokens', () => {
    expect(Object.fromEntries(seen.curl.map(({ what, status }) => [what, status]))).toEqual({
      'health without a token': 200,
      'status without a token': 401,
      'status with a wrong token': 401,
      'status with a read token': 200,
      'pause with a read token': 403,
      'pause with an operate token': 200,
      'resume with an operate token': 200,
      'a job that there is not': 404,
      'metrics with a read token': 200,
    })
  })

  test('was killed in the middle of a run, and both jobs have made points since', () => {
    expect(seen.killed.step).toBe('replicate')
    for (const job of ['both', 'second']) {
      const since = seen.runs.filter((run) => run.job === job && run.startedAt > seen.killed.at)
      expect(since.map(({ outcome }) => outcome)).toContain('protected')
    }
    expect(seen.exitCode).toBe(0)
  })

  test('was scraped by Prometheus, which saw the points become newer', () => {
    for (const job of ['both', 'second']) {
      expect(seen.metrics.first[job]).toBeGreaterThan(1_700_000_000)
      expect(seen.metrics.last[job]).toBeGreaterThan(seen.metrics.first[job] ?? 0)
    }
  })

  test('told of its runs and of the one that was interrupted by mail', () => {
    const subjects = seen.mails.map((mail) => /^Subject: (.+(?:\r\n .+)*)/m.exec(mail)?.[1] ?? '')
    expect(subjects.some((subject) => subject.includes('VMs protected'))).toBe(true)
    expect(seen.mails.some((mail) => /interrupted/.test(mail.replaceAll('=\r\n', '')))).toBe(true)
    const ids = seen.mails.map((mail) => /^Message-ID: (.+)$/im.exec(mail)?.[1])
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('showed jobs and the running step in a terminal', () => {
    expect(seen.screen).toContain('JOB')
    expect(seen.screen).toMatch(/both|second/)
  })

  test('left recovery points that are proved, each VM one instant over all its volumes, and nothing else', async () => {
    const proved = await proveSecondary(lab)
    const hosted = (name: string): boolean => name === 'HostedEngine'
    expect(proved.filter(({ vm, verdict }) => !hosted(vm.name) && verdict.verdict !== 'exactly')).toEqual([])
    expect(await leftovers(lab)).toEqual([])
    expect(seen.status.owed).toBe(0)
    expect(seen.status.troubles).toEqual([])
  }, 600_000)

  test('writes no secret anywhere that it tells', async () => {
    const password = (await readFile(join(lab.status.dir, 'password'), 'utf8')).trim()
    expect(JSON.stringify(seen)).not.toContain(password)
    expect(JSON.stringify(seen)).not.toMatch(/vmb_[A-Za-z0-9_-]{20}/)
  })
})
