import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cancelled, Refused } from '../../src/model/errors.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { lockPair } from '../../src/run/lock.ts'
import type { Obligation, Owed } from '../../src/run/obligation.ts'
import { type Play, perform, type Run, type RunRequest, rehearse } from '../../src/run/run.ts'
import { fakeClock } from '../support/stage.ts'
import { aFolder } from './a-folder.ts'

const pair = 'data--gs1--data-dr'

function aRequest(change: Partial<RunRequest> = {}): RunRequest {
  return {
    primary: 'data',
    secondary: { host: 'gs1', volume: 'data-dr' },
    stateDir: aFolder(),
    signal: new AbortController().signal,
    clock: fakeClock(),
    emit: () => undefined,
    settleMs: 60_000,
    ...change,
  }
}

/** A play that does nothing and settles all that it is given. */
function aPlay(change: Partial<Play> = {}): Play {
  const strikeAll = (run: Run, owed: readonly Owed[]) => {
    for (const one of owed) run.strike(one)
  }
  return {
    story: async () => undefined,
    results: () => [],
    settle: async (run, owed) => strikeAll(run, owed),
    closes: ({ what }) => what.kind === 'event',
    close: async (run, _report, owed) => strikeAll(run, owed),
    ...change,
  }
}

function openIn({ stateDir }: RunRequest): Obligation[] {
  using ledger = new Ledger(join(stateDir, 'vmbackup.db'), pair)
  return ledger.open().map(({ what }) => what)
}

function owedBefore({ stateDir }: RunRequest, ...owed: Obligation[]): void {
  using ledger = new Ledger(join(stateDir, 'vmbackup.db'), pair)
  for (const what of owed) ledger.owe('earlier', what)
}

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

  test('settles what earlier runs left before its story begins', async () => {
    const request = aRequest()
    owedBefore(request, { kind: 'session' })
    const order: string[] = []
    const play = aPlay({
      settle: async (run, owed) => {
        order.push(...owed.map(({ what }) => what.kind))
        for (const one of owed) run.strike(one)
      },
      story: async () => void order.push('story'),
    })
    const report = await perform(request, play)
    expect(order).toEqual(['session', 'story'])
    expect(report.steps.map(({ name }) => name)).toEqual(['settle earlier runs'])
  })

  test('warns of what earlier runs left and still cannot be settled, and goes on', async () => {
    const request = aRequest()
    owedBefore(request, { kind: 'session' })
    const play = aPlay({
      settle: async (_run, owed, leave) => owed.forEach((one) => void leave(one, new Error('gluster is away'))),
    })
    const report = await perform(request, play)
    expect(report.outcome).toBe('protected')
    expect(report.warnings).toEqual([
      'left by an earlier run: stop of the replication session: gluster is away',
    ])
    expect(openIn(request)).toMatchObject([{ kind: 'session' }])
  })

  test('settles what its story left, also when that failed', async () => {
    const request = aRequest()
    const play = aPlay({
      story: async (run) => {
        run.owe({ kind: 'mount', dir: '/a' })
        run.owe({ kind: 'session' })
        throw new Error('broken')
      },
    })
    const report = await perform(request, play)
    expect(report).toMatchObject({ outcome: 'failed', error: { message: 'broken' }, leftOpen: [] })
    expect(openIn(request)).toEqual([])
  })

  test('settles and closes under a signal of their own when it is cancelled', async () => {
    const controller = new AbortController()
    const aborted: boolean[] = []
    const play = aPlay({
      story: async (run) => {
        run.owe({ kind: 'session' })
        controller.abort(new Cancelled('SIGTERM'))
        run.signal.throwIfAborted()
      },
      settle: async (run, owed) => {
        aborted.push(run.signal.aborted)
        for (const one of owed) run.strike(one)
      },
      close: async (run, _report, owed) => {
        aborted.push(run.signal.aborted)
        for (const one of owed) run.strike(one)
      },
    })
    const report = await perform(aRequest({ signal: controller.signal }), play)
    expect(report.outcome).toBe('cancelled')
    expect(aborted).toEqual([false, false])
  })

  test('has no story when it is cancelled before that', async () => {
    let told = false
    const play = aPlay({ story: async () => void (told = true) })
    const report = await perform(aRequest({ signal: AbortSignal.abort(new Cancelled('SIGINT')) }), play)
    expect(report.outcome).toBe('cancelled')
    expect(told).toBe(false)
  })

  test('tells what settling left, and why', async () => {
    const request = aRequest()
    const play = aPlay({
      story: async (run) => void run.owe({ kind: 'session' }),
      settle: async (_run, owed, leave) => owed.forEach((one) => void leave(one, new Error('gluster is away'))),
    })
    const report = await perform(request, play)
    expect(report.leftOpen).toEqual([{ what: 'stop of the replication session', why: 'gluster is away' }])
  })

  test('tells of everything that is still in the ledger, also what came to be owed while settling', async () => {
    const request = aRequest()
    const play = aPlay({
      story: async (run) => void run.owe({ kind: 'session' }),
      settle: async (run) => {
        if (run.owed().every(({ what }) => what.kind !== 'mount')) run.owe({ kind: 'mount', dir: '/stuck' })
      },
    })
    const report = await perform(request, play)
    expect(openIn(request)).toHaveLength(2)
    expect(report.leftOpen.map(({ what }) => what).toSorted()).toEqual([
      'stop of the replication session',
      'unmount of /stuck',
    ])
  })

  test('posts its closing event and tells what is left also when settling itself breaks', async () => {
    const request = aRequest()
    let closed = false
    const play = aPlay({
      story: async (run) => void run.owe({ kind: 'session' }),
      settle: () => Promise.reject(new Error('the disk is full')),
      close: async (run, _report, owed) => {
        closed = true
        for (const one of owed) run.strike(one)
      },
    })
    const report = await perform(request, play)
    expect(closed).toBe(true)
    expect(report.leftOpen).toEqual([{ what: 'stop of the replication session', why: 'the disk is full' }])
  })

  test('tells in its report that the closing event could not be posted', async () => {
    const request = aRequest()
    const report = await perform(request, aPlay({ close: () => Promise.reject(new Error('the engine is away')) }))
    expect(report.leftOpen).toEqual([{ what: 'closing event on the engine', why: 'the engine is away' }])
    expect(openIn(request)).toMatchObject([{ kind: 'event' }])
  })

  test('does not try again at its end what the story gave up, and tells why', async () => {
    const settled: string[] = []
    const play = aPlay({
      story: async (run) => run.giveUp(run.owe({ kind: 'session' }), 'tried three times'),
      settle: async (_run, owed) => void settled.push(...owed.map(({ what }) => what.kind)),
    })
    const report = await perform(aRequest(), play)
    expect(settled).toEqual([])
    expect(report.leftOpen).toEqual([{ what: 'stop of the replication session', why: 'tried three times' }])
  })

  test('goes on when nobody can be told any more, and says so in its report', async () => {
    const request = aRequest({
      emit: () => {
        throw new Error('no space left for the log')
      },
    })
    const play = aPlay({ story: async (run) => run.step('work', async () => void run.owe({ kind: 'session' })) })
    const report = await perform(request, play)
    expect(report.outcome).toBe('protected')
    expect(report.warnings.join()).toContain('no space left for the log')
    expect(openIn(request)).toEqual([])
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
    const report = await perform(request, aPlay({ story: async (run) => run.step('work', async () => undefined) }))
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
    using _held = lockPair(request.stateDir, pair)
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
    let told = false
    const report = await perform(request, aPlay({ story: async () => void (told = true) }))
    expect(report.outcome).toBe('failed')
    expect(report.error?.hint).toContain('--state-dir')
    expect(told).toBe(false)
  })
})

test('what came to be owed while settling is settled, too', async () => {
  const request = aRequest()
  const play = aPlay({
    story: async (run) => void run.owe({ kind: 'session' }),
    settle: async (run, owed) => {
      for (const one of owed) {
        run.strike(one)
        if (one.what.kind === 'session') run.owe({ kind: 'mount', dir: '/late' })
      }
    },
  })
  const report = await perform(request, play)
  expect(report.leftOpen).toEqual([])
  expect(openIn(request)).toEqual([])
})

describe('a rehearsal', () => {
  test('leaves no entry behind', async () => {
    const request = aRequest()
    await rehearse(request, aPlay(), async (run) => void run.owe({ kind: 'session' }))
    expect(existsSync(join(request.stateDir, 'vmbackup.db'))).toBe(false)
  })

  test('settles what the look left, also when it threw', async () => {
    const settled: Obligation[] = []
    const play = aPlay({
      settle: async (run, owed) => {
        for (const one of owed) {
          settled.push(one.what)
          run.strike(one)
        }
      },
    })
    const look = rehearse(aRequest(), play, async (run) => {
      run.owe({ kind: 'mount', dir: '/a' })
      throw new Error('broken')
    })
    await expect(look).rejects.toThrow('broken')
    expect(settled).toEqual([{ kind: 'mount', dir: '/a' }])
  })

  test('fails rather than hide that something is left', async () => {
    const play = aPlay({
      settle: async (_run, owed, leave) => owed.forEach((one) => void leave(one, new Error('busy'))),
    })
    const look = rehearse(aRequest(), play, async (run) => void run.owe({ kind: 'mount', dir: '/a' }))
    await expect(look).rejects.toThrow('unmount of /a: busy')
  })
})

test('the state directory of a run holds its ledger, its lock and nothing that nobody knows', async () => {
  const request = aRequest()
  rmSync(request.stateDir, { recursive: true })
  await perform(request, aPlay())
  expect(readdirSync(request.stateDir).toSorted()).toEqual([
    'data--gs1--data-dr.holder',
    'data--gs1--data-dr.lock',
    'mnt',
    'vmbackup.db',
  ])
})
