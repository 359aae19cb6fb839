import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import type { Obligation } from '../../src/run/obligation.ts'
import { perform } from '../../src/run/perform.ts'
import { rehearse } from '../../src/run/rehearse.ts'
import { aFolder } from './a-folder.ts'
import { aPlay, aRequest, openIn, owedBefore } from './a-play.ts'

describe('a run', () => {
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
      settle: async (_run, owed, leave) =>
        owed.forEach((one) => void leave(one, new Error('gluster is away'))),
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
        run.owe({ kind: 'mount', dir: '/a', on: 'here' })
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

  test('tells what settling left, and why', async () => {
    const request = aRequest()
    const play = aPlay({
      story: async (run) => void run.owe({ kind: 'session' }),
      settle: async (_run, owed, leave) =>
        owed.forEach((one) => void leave(one, new Error('gluster is away'))),
    })
    const report = await perform(request, play)
    expect(report.leftOpen).toEqual([{ what: 'stop of the replication session', why: 'gluster is away' }])
  })

  test('tells of everything that is still in the ledger, also what came to be owed while settling', async () => {
    const request = aRequest()
    const play = aPlay({
      story: async (run) => void run.owe({ kind: 'session' }),
      settle: async (run) => {
        if (run.owed().every(({ what }) => what.kind !== 'mount'))
          run.owe({ kind: 'mount', dir: '/stuck', on: 'here' })
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
    const report = await perform(
      request,
      aPlay({ close: () => Promise.reject(new Error('the engine is away')) }),
    )
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
})

test('what came to be owed while settling is settled, too', async () => {
  const request = aRequest()
  const play = aPlay({
    story: async (run) => void run.owe({ kind: 'session' }),
    settle: async (run, owed) => {
      for (const one of owed) {
        run.strike(one)
        if (one.what.kind === 'session') run.owe({ kind: 'mount', dir: '/late', on: 'here' })
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
    await rehearse(request, request.stateDir, aPlay(), async (run) => void run.owe({ kind: 'session' }))
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
    const look = rehearse(aRequest(), aFolder(), play, async (run) => {
      run.owe({ kind: 'mount', dir: '/a', on: 'here' })
      throw new Error('broken')
    })
    await expect(look).rejects.toThrow('broken')
    expect(settled).toEqual([{ kind: 'mount', dir: '/a', on: 'here' }])
  })

  test('fails rather than hide that something is left', async () => {
    const play = aPlay({
      settle: async (_run, owed, leave) => owed.forEach((one) => void leave(one, new Error('busy'))),
    })
    const look = rehearse(
      aRequest(),
      aFolder(),
      play,
      async (run) => void run.owe({ kind: 'mount', dir: '/a', on: 'here' }),
    )
    await expect(look).rejects.toThrow('unmount of /a: busy')
  })
})
