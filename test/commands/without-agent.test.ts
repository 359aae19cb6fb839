import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { whoseToken } from '../../src/api/tokens.ts'
import { Failure, UsageError } from '../../src/model/errors.ts'
import { nameOfPair } from '../../src/model/pair.ts'
import { overwrittenBy } from '../../src/run/keeping.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { aReport } from '../api/fake-agent.ts'
import { aSite } from './a-terminal.ts'

const [first, second] = ['20261121T120000Z-0a1b2c3d', '20261121T160000Z-0a1b2c3d'] as const

async function refusal(acting: Promise<unknown>): Promise<Failure> {
  const error = await acting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof Failure) return error
  throw new Error('nothing was refused')
}

describe('where no agent runs', () => {
  test.each(['status', 'jobs', 'pause nightly', 'resume nightly', 'cancel nightly'])(
    '%s says so, and how to start one',
    async (words) => {
      const { vmbackup, socket } = aSite()
      const { message, hint } = await refusal(vmbackup(words))
      expect(message).toBe(`no agent runs here: nothing answers on ${socket}`)
      expect(hint).toContain('vmbackup daemon')
    },
  )

  test.each(['status', 'jobs', 'run nightly'])(
    '%s says how to write a job where there is none',
    async (words) => {
      const error = await refusal(aSite({ jobs: '' }).vmbackup(words))
      expect(error).toBeInstanceOf(UsageError)
      expect(error.hint).toContain('[job nightly]')
    },
  )

  test('run names the job that was probably meant', async () => {
    const { message, hint } = await refusal(aSite().vmbackup('run nihgtly'))
    expect(message).toBe('there is no job "nihgtly"')
    expect(hint).toBe('did you mean nightly?')
  })

  test('runs, reports and points are read from the state directory', async () => {
    const { vmbackup, stateDir } = aSite()
    expect((await vmbackup('runs')).stdout).toBe('no run has ended yet\n')
    expect((await vmbackup('points')).stdout).toMatch(/^no run .* recovery point yet\n$/)
    const { primary, secondary } = aReport(first)
    using ledger = new Ledger(join(stateDir, 'vmbackup.db'), nameOfPair({ primary, secondary }))
    ledger.remember(aReport(first))
    ledger.remember({ ...aReport(second), startedAt: '2026-11-21T16:00:00.000Z' })
    ledger.note(overwrittenBy, second)
    const runs = (await vmbackup('runs')).stdout.split('\n')
    expect([runs[2]?.split(' ')[0], runs[3]?.split(' ')[0]]).toEqual([second, first])
    expect((await vmbackup('report 20261121T12')).stdout).toContain(`run ${first}`)
    const points = (await vmbackup('points')).stdout
    expect(points).toMatch(new RegExp(`^${second} +nightly .* ready `, 'm'))
    expect(points).toMatch(new RegExp(`^${first} +nightly .* overwritten `, 'm'))
    const { message } = await refusal(vmbackup('report 2026'))
    expect(message).toBe('2 runs begin with "2026"')
  })
})

describe('vmbackup config check', () => {
  test('prints what would be used, with the defaults and without secrets', async () => {
    const { vmbackup } = aSite({ more: '[mail]\nserver = mail.example.com:25\nfrom = dr@example.com\n' })
    const { code, stdout, stderr } = await vmbackup('config check')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('[job nightly]\npairs = data dr1.example.com copy\n')
    expect(stdout).toContain('user_name = admin@internal\n# password is set and not shown\n')
    expect(stdout).not.toContain('sesame')
  })

  test('gives a configuration that comes to the same again', async () => {
    const site = aSite()
    const { stdout } = await site.vmbackup('config check')
    writeFileSync(site.config, `${stdout.replace('# password is set and not shown', 'password = x')}`)
    expect((await site.vmbackup('config check')).stdout).toBe(stdout)
  })

  test('refuses with the line of each problem, and warns on standard error', async () => {
    const site = aSite()
    const text = readFileSync(site.config, 'utf8')
    writeFileSync(site.config, `${text}nonsense = 1\n[job nightly2]\n`)
    const error = await refusal(site.vmbackup('config check'))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toMatch(/backup\.cfg:12: \[job nightly\] nonsense/)
    expect(error.message).toMatch(/backup\.cfg: \[job nightly2\] pairs: is missing/)
    writeFileSync(site.config, text)
    chmodSync(site.config, 0o644)
    expect((await site.vmbackup('config check')).stderr).toMatch(/^warning: .+\n$/)
  })
})

describe('vmbackup token', () => {
  test('makes a token that is good until it is removed, and shows it once', async () => {
    const { vmbackup, stateDir } = aSite()
    expect((await vmbackup('token list')).stdout).toBe('there is no token\n')
    const { stdout, stderr } = await vmbackup('token add grafana --rights read')
    const text = stdout.trimEnd()
    expect(whoseToken(stateDir, text)).toMatchObject({ name: 'grafana', right: 'read' })
    expect(stderr).toContain('shown once')
    const list = await vmbackup('token list')
    expect(list.stdout).toMatch(/^grafana {2}read +\d\d:\d\d$/m)
    expect(list.stdout).not.toContain(text)
    await expect(vmbackup('token add grafana --rights operate')).rejects.toThrow('already')
    expect((await vmbackup('token remove grafana')).code).toBe(0)
    expect(whoseToken(stateDir, text)).toBeUndefined()
    await expect(vmbackup('token remove grafana')).rejects.toThrow('there is no token "grafana"')
  })
})
