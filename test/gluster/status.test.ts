import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BrickRow,
  findSession,
  isRunning,
  listedSessions,
  progressOf,
  sessionOf,
} from '../../src/gluster/status.ts'
import { parseAnswer } from '../../src/gluster/xml.ts'
import { olderNames, sample } from './fake-gluster.ts'

const ours = { host: 'gs1', volume: 'data-dr' }
const single = [[{ host: 'gp1', hostUuid: '', path: '/var/tmp/gluster-lab/gp1/bricks/data/brick' }]]
const replica3 = [
  ['gp1', 'gp2', 'gp3'].map((host) => ({
    host,
    hostUuid: '',
    path: `/var/tmp/gluster-lab/${host}/bricks/data/brick`,
  })),
]
const at = (text: string) => ({ at: Date.parse(`${text}Z`) / 1000 })
const mark = at('2026-11-20T22:51:11')

async function rowsOf(name: string, change = (text: string) => text): Promise<BrickRow[]> {
  return findSession(parseAnswer(change(await sample(name))).root, ours)?.rows ?? []
}

describe.each([
  ['names since 10.0', (text: string) => text],
  ['names until 9.6', olderNames],
])('%s', (_names, change) => {
  test.each([
    ['status-created', 'created', false],
    ['status-initializing', 'starting', true],
    ['status-active-no-crawl-yet', 'active', true],
    ['status-active-hybrid', 'active', true],
    ['status-active-history', 'active', true],
    ['status-active-changelog', 'active', true],
    ['status-paused', 'paused', false],
    ['status-stopped', 'stopped', false],
    ['status-faulty', 'faulty', true],
    ['status-all-sessions', 'stopped', false],
    ['mountbroker-active', 'active', true],
    ['replica3-active-passive', 'active', true],
  ])('%s is %s', async (name, state, running) => {
    const rows = await rowsOf(name, change)
    expect(sessionOf(rows).state).toBe(state)
    expect(isRunning(rows)).toBe(running)
  })

  test('a completed checkpoint is reached', async () => {
    const rows = await rowsOf('status-active-checkpoint-yes', change)
    expect(progressOf(rows, single, mark)).toEqual({ state: 'reached' })
  })

  test('an earlier checkpoint that was completed is not ours', async () => {
    const rows = await rowsOf('status-active-checkpoint-yes', change)
    expect(progressOf(rows, single, { at: mark.at + 1 })).toMatchObject({
      state: 'waiting',
      reached: 0,
      of: 1,
    })
  })

  test('a checkpoint that is not completed is waited for', async () => {
    const rows = await rowsOf('status-checkpoint-set', change)
    expect(progressOf(rows, single, at('2026-11-20T00:00:00'))).toMatchObject({
      state: 'waiting',
      detail: `gp1:${single[0]?.[0]?.path} Active, Changelog Crawl`,
    })
  })
})

test.each(['status-created', 'status-stopped', 'status-paused'])('%s needs a start', async (name) => {
  expect(progressOf(await rowsOf(name), single, mark).state).toBe('down')
})

test.each(['status-initializing', 'status-faulty', 'status-active-no-crawl-yet'])(
  '%s is waited for',
  async (name) => {
    expect(progressOf(await rowsOf(name), single, mark).state).toBe('waiting')
  },
)

test.each([
  ['status-active-hybrid', { busy: true }],
  ['status-active-changelog', { busy: false }],
  ['status-active-no-crawl-yet', { busy: false, atWork: true }],
  ['status-active-history', { atWork: true }],
  ['status-initializing', { atWork: false }],
  ['status-faulty', { busy: false, atWork: false }],
])('%s is busy with a backlog, and at work, as it says: %j', async (name, expected) => {
  expect(progressOf(await rowsOf(name), single, mark)).toMatchObject(expected)
})

test('what is pending makes the live crawl busy, and is told', async () => {
  const rows = (await rowsOf('status-active-changelog')).map((row) => ({ ...row, pending: 7 }))
  expect(progressOf(rows, single, mark)).toMatchObject({
    busy: true,
    detail: expect.stringContaining('7 pending'),
    pending: 7,
  })
  const none = rows.map((row) => ({ ...row, pending: 0 }))
  expect(progressOf(none, single, mark)).not.toHaveProperty('pending')
})

test('the user of a session is told, and does not keep it from being found', async () => {
  const [session] = listedSessions(parseAnswer(await sample('mountbroker-active')).root)
  expect(session).toMatchObject({ user: 'geoaccount', ...ours })
})

test('a session to another volume or host is not ours', async () => {
  const { root } = parseAnswer(await sample('status-stopped'))
  expect(findSession(root, { host: 'gs1', volume: 'data' })).toBeUndefined()
  expect(findSession(root, { host: 'gs', volume: 'data-dr' })).toBeUndefined()
})

test('ours is found beside others', async () => {
  const text = await sample('status-faulty')
  const other = text.replaceAll('gs1::data-dr', 'gs1::data-dr2').replaceAll('Faulty', 'Active')
  const [session] = /<session>[\s\S]*<\/session>/.exec(other) ?? []
  const both = text.replace('<sessions>', `<sessions>${session}`)
  expect(sessionOf(findSession(parseAnswer(both).root, ours)?.rows ?? []).state).toBe('faulty')
})

describe('three replicas', () => {
  const since = at('2026-11-20T22:40:20')

  test('are done when the active one is', async () => {
    expect(progressOf(await rowsOf('replica3-active-passive'), replica3, since).state).toBe('reached')
  })

  test('are done by the brick that took over', async () => {
    expect(progressOf(await rowsOf('replica3-brick-down'), replica3, since).state).toBe('reached')
  })

  test('are not done when two are active and one is behind', async () => {
    const rows = await rowsOf('replica3-active-passive')
    const behind = rows.map((row) => (row.host === 'gp2' ? { ...row, status: 'Active' } : row))
    expect(progressOf(behind, replica3, since).state).toBe('waiting')
  })

  test('are not done when one is faulty', async () => {
    const rows = await rowsOf('replica3-active-passive')
    const faulty = rows.map((row) => (row.host === 'gp2' ? { ...row, status: 'Faulty' } : row))
    expect(progressOf(faulty, replica3, since)).toMatchObject({ detail: expect.stringContaining('gp2') })
  })

  test('are not done when a brick has no row', async () => {
    const rows = (await rowsOf('replica3-active-passive')).filter(({ host }) => host !== 'gp3')
    expect(progressOf(rows, replica3, since)).toMatchObject({ detail: expect.stringContaining('gp3') })
  })

  test('are not done when none is active', async () => {
    const rows = (await rowsOf('replica3-active-passive')).map((row) => ({ ...row, status: 'Passive' }))
    expect(progressOf(rows, replica3, since).state).toBe('waiting')
  })
})

test('every replica set of a distributed volume must be done', async () => {
  const rows = await rowsOf('replica3-active-passive')
  const second = rows.map((row) => ({ ...row, path: '/second', completed: false }))
  const sets = [...replica3, ['gp1', 'gp2', 'gp3'].map((host) => ({ host, hostUuid: '', path: '/second' }))]
  expect(progressOf([...rows, ...second], sets, at('2026-11-20T22:40:20'))).toMatchObject({
    reached: 1,
    of: 2,
  })
})

test('a brick is known by its host id where the names differ', async () => {
  const rows = await rowsOf('status-active-checkpoint-yes')
  const sets = [[{ host: 'gp1.example.com', hostUuid: rows[0]?.hostUuid ?? '', path: rows[0]?.path ?? '' }]]
  expect(progressOf(rows, sets, mark).state).toBe('reached')
})

test('a word of a later version is unknown, and not waited for in vain as done', async () => {
  const rows = (await rowsOf('status-active-checkpoint-yes')).map((row) => ({
    ...row,
    status: 'constructor',
  }))
  expect(sessionOf(rows).state).toBe('unknown')
  expect(progressOf(rows, single, mark).state).toBe('waiting')
})

test('no bricks are never done', () => {
  expect(progressOf([], [], mark).state).toBe('waiting')
  expect(progressOf([], single, mark).state).toBe('waiting')
})

test('whatever the rows say, reached needs an active brick that completed this checkpoint', () => {
  const row = fc.record({
    host: fc.constantFrom('gp1', 'gp2', 'gp3'),
    hostUuid: fc.constant(''),
    path: fc.constantFrom(...(replica3[0] ?? []).map(({ path }) => path)),
    status: fc.constantFrom('Active', 'Passive', 'Faulty', 'Stopped', 'Initializing...', 'Paused', 'x'),
    crawl: fc.constant('N/A'),
    pending: fc.constant(0),
    checkpointAt: fc.constantFrom(undefined, 10, 20),
    completed: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
      if (progressOf(rows, replica3, { at: 20 }).state !== 'reached') return
      const done = rows.filter(
        ({ status, completed, checkpointAt }) => status === 'Active' && completed && checkpointAt === 20,
      )
      expect(done).not.toEqual([])
    }),
  )
})
