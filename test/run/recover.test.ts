import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { lockVolume } from '../../src/run/lock.ts'
import { perform } from '../../src/run/perform.ts'
import { exitCodeOfRecovery, owedFor, pairsOwing, recover } from '../../src/run/recover.ts'
import { aPlay, aRequest, openIn, owedBefore } from './a-play.ts'

const session = { kind: 'session' } as const
const mount = { kind: 'mount', dir: '/a', on: 'here' } as const

describe('recover', () => {
  test('settles what is owed, newest first, and says what it did', async () => {
    const request = aRequest()
    owedBefore(request, session, mount)
    const recovery = await recover(request, aPlay())
    expect(recovery).toMatchObject({
      primary: 'data',
      outcome: 'settled',
      found: [
        { what: 'unmount of /a', run: 'earlier', state: 'settled' },
        { what: 'stop of the replication session', run: 'earlier', state: 'settled' },
      ],
    })
    expect(openIn(request)).toEqual([])
    expect(exitCodeOfRecovery([recovery])).toBe(0)
  })

  test('finds nothing the second time', async () => {
    const request = aRequest()
    owedBefore(request, session)
    await recover(request, aPlay())
    expect(await recover(request, aPlay())).toMatchObject({ outcome: 'settled', found: [] })
  })

  test('says what it could not do, and why, and keeps it', async () => {
    const request = aRequest()
    owedBefore(request, session, mount)
    const recovery = await recover(
      request,
      aPlay({
        settle: async (run, owed, leave) => {
          for (const one of owed) {
            if (one.what.kind === 'mount') run.strike(one)
            else leave(one, new Error('no answer', { cause: new Error('gluster is away') }))
          }
        },
      }),
    )
    expect(recovery.outcome).toBe('left open')
    expect(recovery.found).toMatchObject([
      { state: 'settled' },
      { state: 'left open', why: 'no answer: gluster is away' },
    ])
    expect(openIn(request)).toEqual([session])
    expect(exitCodeOfRecovery([recovery])).toBe(1)
  })

  test('keeps all that it did not come to when settling breaks', async () => {
    const request = aRequest()
    owedBefore(request, session)
    const recovery = await recover(request, aPlay({ settle: () => Promise.reject(new Error('broken')) }))
    expect(recovery.found).toMatchObject([{ state: 'left open', why: 'broken' }])
  })

  test('settles what came to be owed while settling, too', async () => {
    const request = aRequest()
    owedBefore(request, session)
    const recovery = await recover(
      request,
      aPlay({
        settle: async (run, owed) => {
          for (const one of owed) {
            if (one.what.kind === 'session') run.owe(mount)
            run.strike(one)
          }
        },
      }),
    )
    expect(recovery.found.map(({ what, state }) => [what, state])).toEqual([
      ['unmount of /a', 'settled'],
      ['stop of the replication session', 'settled'],
    ])
  })

  test('strikes what is waived without looking at the world, and only that', async () => {
    const request = aRequest()
    owedBefore(request, session, mount)
    const [first] = owedFor(request).found
    const settled: string[] = []
    const play = aPlay({
      settle: async (_run, owed) => void settled.push(...owed.map(({ what }) => what.kind)),
    })
    const recovery = await recover(request, play, [first?.id ?? 0])
    expect(recovery.found.map(({ state }) => state)).toEqual(['waived', 'left open'])
    expect(settled).toEqual(['session'])
    expect(openIn(request)).toEqual([session])
  })

  test('is turned away while a run holds the lock', async () => {
    const request = aRequest()
    owedBefore(request, session)
    using _held = lockVolume(request.stateDir, 'data')
    const recovery = await recover(request, aPlay())
    expect(recovery).toMatchObject({ outcome: 'locked', error: { message: expect.stringContaining('pid') } })
    expect(exitCodeOfRecovery([recovery])).toBe(5)
    expect(openIn(request)).toEqual([session])
  })

  test('ends when it is told to, and keeps the rest', async () => {
    const request = aRequest({ signal: AbortSignal.abort(new Cancelled('SIGTERM')) })
    owedBefore(request, session)
    const play = aPlay({ settle: async (run) => run.signal.throwIfAborted() })
    const recovery = await recover(request, play)
    expect(recovery).toMatchObject({ outcome: 'cancelled', found: [{ state: 'left open', why: 'SIGTERM' }] })
    expect(exitCodeOfRecovery([recovery])).toBe(130)
  })
})

describe('looking at what is owed', () => {
  test('changes nothing, not even where there is no state directory', () => {
    const request = aRequest()
    const stateDir = join(request.stateDir, 'none')
    expect(owedFor({ ...request, stateDir })).toMatchObject({ outcome: 'settled', found: [] })
    expect(existsSync(stateDir)).toBe(false)
    owedBefore(request, session)
    expect(owedFor(request)).toMatchObject({ outcome: 'owed', found: [{ state: 'owed' }] })
    expect(openIn(request)).toEqual([session])
  })

  test('finds the pairs that owe something by the names their runs have written down', async () => {
    const request = aRequest({ secondary: { user: 'geo', host: 'gs1', volume: 'data-dr' } })
    const open = aPlay({ settle: async () => undefined, story: async (run) => void run.owe(session) })
    await perform(request, open)
    await perform({ ...request, secondary: { host: 'gs2', volume: 'other' } }, aPlay())
    expect(pairsOwing(request.stateDir, (text) => JSON.parse(text) as unknown)).toEqual([
      {
        name: 'data--gs1--data-dr',
        pair: { primary: 'data', secondary: { user: 'geo', host: 'gs1', volume: 'data-dr' } },
      },
    ])
  })

  test('asks for the names of a pair that are not written down, and finds the others all the same', async () => {
    const request = aRequest()
    owedBefore(request, session)
    const open = aPlay({ settle: async () => undefined, story: async (run) => void run.owe(session) })
    await perform({ ...request, secondary: { host: 'gs2', volume: 'other' } }, open)
    expect(pairsOwing(request.stateDir, String)).toMatchObject([
      {
        name: 'data--gs1--data-dr',
        error: { message: expect.stringContaining('does not say which volumes') },
      },
      { name: 'data--gs2--other', pair: expect.any(String) },
    ])
  })
})

test('an entry that another version wrote is told as it stands, and never forgotten', async () => {
  const request = aRequest()
  {
    using ledger = new Ledger(join(request.stateDir, 'vmbackup.db'), 'data--gs1--data-dr')
    ledger.owe('earlier', { kind: 'fence', host: 'h1' } as never)
  }
  expect(owedFor(request).found).toMatchObject([
    { what: 'something that this version does not understand: {"kind":"fence","host":"h1"}' },
  ])
})
