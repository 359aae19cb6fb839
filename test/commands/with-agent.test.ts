import { describe, expect, test } from 'vitest'
import { StatusView } from '../../src/agent/view.ts'
import { aReport } from '../api/fake-agent.ts'
import { aSiteWithAgent } from './a-terminal.ts'

const first = '20261121T120000Z-0a1b2c3d'

describe('where an agent runs', () => {
  test('status is printed once where nobody looks on, and as the API tells it for programs', async () => {
    const { vmbackup } = await aSiteWithAgent()
    const { code, stdout } = await vmbackup('status')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^vmbackup 0\.1\.0, running for/)
    expect(stdout).toMatch(/^nightly {2}waiting/m)
    const { stdout: json } = await vmbackup('status --json')
    expect(StatusView.parse(JSON.parse(json)).jobs.map(({ name }) => name)).toEqual(['nightly', 'hourly'])
  })

  test('jobs are listed, paused, resumed and their runs ended', async () => {
    const { vmbackup, agent } = await aSiteWithAgent()
    expect((await vmbackup('jobs')).stdout).toMatch(
      /^nightly +waiting.*every 4 h +data to dr1\.example\.com:copy$/m,
    )
    const stateAfter = async (words: string) => {
      const { code, stdout } = await vmbackup(words)
      expect(code).toBe(0)
      expect(stdout).toContain('job nightly ')
      return agent.jobs()[0]?.state
    }
    expect(await stateAfter('pause nightly')).toBe('paused')
    expect(await stateAfter('resume nightly')).toBe('waiting')
    agent.start('nightly')
    expect(await stateAfter('cancel nightly')).toBe('waiting')
    await expect(vmbackup('pause weekly')).rejects.toThrow('there is no job "weekly"')
    const { stdout } = await vmbackup('pause hourly --json')
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, job: { name: 'hourly', state: 'paused' } })
  })

  test('VMs are listed, all or those of a job', async () => {
    const { vmbackup } = await aSiteWithAgent()
    const names = async (words: string) => {
      const { stdout } = await vmbackup(`${words} --json`)
      return (JSON.parse(stdout) as { vms: { name: string }[] }).vms.map(({ name }) => name)
    }
    expect(await names('vms')).toEqual(['db01', 'web01'])
    expect(await names('vms --job nightly')).toEqual(['web01'])
    expect((await vmbackup('vms')).stdout).toMatch(/^web01 .* protected /m)
    await expect(vmbackup('vms --job nihgtly')).rejects.toMatchObject({ hint: 'did you mean nightly?' })
  })

  test('VMs get and lose their policy', async () => {
    const { vmbackup, agent } = await aSiteWithAgent()
    const { code, stdout } = await vmbackup('protect web01 db01 --policy gold')
    expect(code).toBe(0)
    expect(stdout).toBe(
      'web01 has the policy gold; job nightly takes it\ndb01 has the policy gold; job hourly takes it\n',
    )
    expect((await vmbackup('unprotect db01')).stdout).toBe('db01 is kept out of every job\n')
    expect(agent.vms().map(({ name, policy, state }) => [name, policy, state])).toEqual([
      ['db01', 'gold', 'not selected'],
      ['web01', 'gold', 'waiting'],
    ])
    await expect(vmbackup('protect web01')).rejects.toMatchObject({ hint: 'name one: gold, silver' })
  })

  test('runs are listed under both names of the command', async () => {
    const { vmbackup, agent } = await aSiteWithAgent()
    agent.addReport({ ...aReport('20261121T160000Z-0a1b2c3d'), job: 'hourly' })
    for (const words of ['runs --job nightly', 'history --job nightly --limit 5']) {
      const { stdout } = await vmbackup(`${words} --json`)
      expect(JSON.parse(stdout)).toMatchObject({ version: 1, runs: [{ run: first }] })
    }
    expect((await vmbackup('runs')).stdout).toContain(`${first}  nightly  protected`)
    await expect(vmbackup('runs --job weekly')).rejects.toThrow('there is no job "weekly"')
  })

  test('a report is found by a name that was cut short, unless several runs have it', async () => {
    const { vmbackup, agent } = await aSiteWithAgent()
    const { code, stdout } = await vmbackup('report 20261121T12')
    expect(code).toBe(0)
    expect(stdout).toContain(`protected, 1 of 1 VMs protected, run ${first}`)
    agent.addReport(aReport('20261121T123000Z-0a1b2c3d'))
    await expect(vmbackup('report 20261121T12')).rejects.toMatchObject({
      message: '2 runs begin with "20261121T12"',
      hint: `name one: ${first}, 20261121T123000Z-0a1b2c3d`,
    })
    const { stdout: json } = await vmbackup(`report ${first} --json`)
    expect(JSON.parse(json)).toEqual(aReport(first))
    await expect(vmbackup('report 1999')).rejects.toThrow('there is no run "1999"')
  })

  test('points are those that the agent knows', async () => {
    const { vmbackup } = await aSiteWithAgent()
    expect((await vmbackup('points')).stdout).toMatch(new RegExp(`^${first} .* ready`, 'm'))
  })
})
