import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Cancelled, Refused } from '../../src/model/errors.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { lockVolume } from '../../src/run/lock.ts'
import type { Obligation } from '../../src/run/obligation.ts'
import { perform } from '../../src/run/perform.ts'
import { fakeClock } from '../support/stage.ts'
import { aFolder } from './a-folder.ts'
import { aPlay, aRequest, openIn, owedBefore } from './a-play.ts'

describe('a run', () => {
  test('owes its closing event before the story begins', async () => {
    const request = aRequest()
    let owed: Obligation[] = []
    const play = aPlay({
      story: async (run) => {
        owed = run.owed().map(({ what }) => what)
      },
    })
    await perform(request, play)
    expect(owed).toMatchObject([{ kind: 'event', number: expect.any(Number) }])
    expect(openIn(request)).toEqual([])
  })

  test('numbers its closing event in 31 bits', async () => {
    const numbers: number[] = []
    const play = aPlay({
      story: async (run) => {
        for (const { what } of run.owed()) if (what.kind === 'event') numbers.push(what.number)
      },
    })
    const request = aRequest()
    for (let n = 0; n < 20; n += 1) await perform(request, play)
    expect(new Set(numbers).size).toBe(20)
    expect(numbers.every((number) => number >= 0 && number < 2 ** 31)).toBe(true)
  })

  test('has an id of letters, digits and - that sorts by its start', async () => {
    const { run, startedAt } = await perform(aRequest(), aPlay())
    expect(run).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/)
    expect(run.slice(0, 4)).toBe(startedAt.slice(0, 4))
  })

  test('has no story when it is cancelled before that', async () => {
    let stories = 0
    const play = aPlay({ story: async () => void stories++ })
    const report = await perform(aRequest({ signal: AbortSignal.abort(new Cancelled('SIGINT')) }), play)
    expect(report.outcome).toBe('cancelled')
    expect(stories).toBe(0)
  })

  test('goes on when nobody can be told any more, and says so in its report', async () => {
    const request = aRequest({
      emit: () => {
        throw new Error('no space left for the log')
      },
    })
    const play = aPlay({
      story: async (run) => run.step('work', async () => void run.owe({ kind: 'session' })),
    })
    const report = await perform(request, play)
    expect(report.outcome).toBe('protected')
    expect(report.warnings.join()).toContain('no space left for the log')
    expect(openIn(request)).toEqual([])
  })

  test('is not less protected because its report could not be kept', async () => {
    const request = aRequest()
    const play = aPlay({
      close: async (run, _report, owed) => {
        for (const one of owed) run.strike(one)
        using db = new DatabaseSync(join(request.stateDir, 'vmbackup.db'))
        db.exec('DROP TABLE run')
      },
    })
    const report = await perform(request, play)
    expect(report.outcome).toBe('protected')
    expect(report.warnings.join()).toContain('this report could not be kept')
  })

  test('has in its report what was to be told before it began', async () => {
    const report = await perform(aRequest({ warnings: ['backup.cfg can be read by others'] }), aPlay())
    expect(report.warnings).toEqual(['backup.cfg can be read by others'])
  })

  test('names a step that failed, and how long each took', async () => {
    const clock = fakeClock()
    const play = aPlay({
      story: async (run) => {
        await run.step('first', () => clock.sleep(1_500, run.signal))
        await run.step('second', () => Promise.reject(new Refused('no')))
      },
    })
    const report = await perform(aRequest({ clock }), play)
    expect(report.outcome).toBe('refused')
    expect(report.steps).toEqual([
      { name: 'first', ms: 1_500 },
      { name: 'second', ms: 0, error: 'no' },
    ])
  })

  test('shows every event in order, the report last', async () => {
    const events: RunEvent[] = []
    const request = aRequest({ emit: (event) => void events.push(event) })
    const report = await perform(
      request,
      aPlay({ story: async (run) => run.step('work', async () => undefined) }),
    )
    expect(events.map(({ kind }) => kind)).toEqual([
      'run began',
      'step began',
      'step ended',
      'settled',
      'run ended',
    ])
    expect(events.at(-1)).toEqual({ kind: 'run ended', report })
  })
})

describe('a run that cannot begin', () => {
  test('is "locked" while another one holds the lock, and leaves the ledger alone', async () => {
    const request = aRequest()
    owedBefore(request, { kind: 'session' })
    using _held = lockVolume(request.stateDir, request.primary)
    const report = await perform(request, aPlay())
    expect(report).toMatchObject({ outcome: 'locked', error: { message: expect.stringContaining('pid') } })
    expect(openIn(request)).toEqual([{ kind: 'session' }])
  })

  test('gives the lock back in the end', async () => {
    const request = aRequest()
    await perform(request, aPlay({ story: () => Promise.reject(new Error('broken')) }))
    expect((await perform(request, aPlay())).outcome).toBe('protected')
  })

  test('fails with a hint when its state directory is a file', async () => {
    const stateDir = join(aFolder(), 'state')
    writeFileSync(stateDir, '')
    const report = await perform(aRequest({ stateDir }), aPlay())
    expect(report).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringContaining(stateDir), hint: expect.stringContaining('[state] dir') },
    })
  })

  test('fails without acting when its ledger cannot be read', async () => {
    const request = aRequest()
    writeFileSync(join(request.stateDir, 'vmbackup.db'), 'no database'.repeat(1000))
    let stories = 0
    const report = await perform(request, aPlay({ story: async () => void stories++ }))
    expect(report.outcome).toBe('failed')
    expect(report.error?.hint).toContain('--state-dir')
    expect(stories).toBe(0)
  })
})

test('the state directory of a run holds its ledger, its lock and nothing that nobody knows', async () => {
  const request = aRequest()
  rmSync(request.stateDir, { recursive: true })
  await perform(request, aPlay())
  expect(readdirSync(request.stateDir).toSorted()).toEqual([
    'data.holder',
    'data.lock',
    'mnt',
    'vmbackup.db',
    'vmbackup.db-journal',
  ])
})
