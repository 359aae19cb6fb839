import { describe, expect, test } from 'vitest'
import { Cancelled, UsageError } from '../../src/model/errors.ts'
import type { RunEvent } from '../../src/run/event.ts'
import type { Outcome } from '../../src/run/report.ts'
import { aReport } from '../api/fake-agent.ts'
import { type ASite, aSiteWithAgent } from './a-terminal.ts'

const pair = 'data--dr1.example.com--copy'
const report = { ...aReport('20261121T160000Z-0a1b2c3d'), outcome: 'protected' as Outcome }

/** Follows `vmbackup run nightly`; `act` is told when the agent was asked to start it. */
async function followed(words: string, act: (to: Acts) => unknown, signal?: AbortSignal) {
  const site = await aSiteWithAgent()
  const { agent } = site
  const started = Promise.withResolvers<void>()
  const start = agent.start
  agent.start = (job) => {
    setImmediate(() => started.resolve())
    return start(job)
  }
  const ended = site.vmbackup(words, signal)
  // What it throws is looked at by who awaits it.
  ended.catch(() => undefined)
  await Promise.race([started.promise, ended])
  const tell = (event: RunEvent) => agent.tell({ kind: 'run', job: 'nightly', pair, event })
  await act({ ...site, tell })
  return { ...(await ended), site }
}

type Acts = ASite &
  Pick<Awaited<ReturnType<typeof aSiteWithAgent>>, 'agent' | 'end'> & { tell(event: RunEvent): void }

/** What an agent tells at the end of a run. */
function end({ tell, agent }: Acts, ended = report): void {
  tell({ kind: 'run ended', report: ended })
  agent.addReport(ended)
  agent.cancel('nightly')
}

describe('vmbackup run JOB, where an agent runs', () => {
  test('tells what the agent does, and prints the report in the end', async () => {
    const { code, stdout, stderr } = await followed('run nightly', (to) => {
      to.tell({ kind: 'run began', run: 'R' })
      to.tell({ kind: 'step ended', step: 'replicate', ms: 1500 })
      to.agent.tell({ kind: 'run', job: 'hourly', pair, event: { kind: 'run began', run: 'OTHER' } })
      end(to)
    })
    expect(code).toBe(0)
    expect(stderr).toMatch(/^\[.+\] run R\n\[.+\] replicate: 1\.5 s\n$/)
    expect(stdout).toContain(`protected, 1 of 1 VMs protected, run ${report.run}`)
  })

  test.each([
    ['partly protected', 3],
    ['failed', 1],
    ['refused', 4],
    ['cancelled', 130],
  ] as const)('a run that is %s ends it with %d', async (outcome, code) => {
    const ended = await followed('run nightly --json', (to) => end(to, { ...report, outcome }))
    expect(ended.code).toBe(code)
    expect(JSON.parse(ended.stdout)).toMatchObject({ version: 1, job: 'nightly', reports: [{ outcome }] })
  })

  test('a report that was not heard is asked for', async () => {
    const { code, stdout } = await followed('run nightly --quiet', ({ agent }) => {
      const { runs } = agent
      agent.runs = ({ limit }) => runs({ limit: 9 }).toReversed().slice(0, limit)
      agent.addReport({ ...report, finishedAt: '2999-01-01T00:00:00.000Z' })
      agent.cancel('nightly')
    })
    expect(code).toBe(0)
    expect(stdout).toContain(report.run)
  })

  test('an order that was taken back is no success', async () => {
    const following = followed('run nightly', ({ agent }) => agent.cancel('nightly'))
    await expect(following).rejects.toThrow('no run of job nightly was made')
  })

  test('who stops to look on does not end the run', async () => {
    const control = new AbortController()
    let state: string | undefined
    const following = followed(
      'run nightly',
      ({ agent }) => {
        control.abort(new Cancelled('cancelled by SIGINT'))
        state = agent.jobs()[0]?.state
      },
      control.signal,
    )
    await expect(following).rejects.toBeInstanceOf(Cancelled)
    await expect(following).rejects.toMatchObject({
      hint: expect.stringContaining('vmbackup cancel nightly'),
    })
    expect(state).toBe('running')
  })

  test('an agent that goes away is told of', async () => {
    const following = followed('run nightly', (to) => to.end())
    await expect(following).rejects.toThrow('the agent has ended while job nightly was followed')
  })

  test('--verify is refused: the agent goes by its configuration', async () => {
    const following = followed('run nightly --verify full', () => undefined)
    await expect(following).rejects.toBeInstanceOf(UsageError)
  })

  test('a job that there is not is named', async () => {
    await expect(followed('run weekly', () => undefined)).rejects.toThrow('there is no job "weekly"')
  })
})
