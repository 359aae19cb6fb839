import { expect, test } from 'vitest'
import { readySession, replicate } from '../../src/backup/replicate.ts'
import { CommandFailed } from '../../src/model/errors.ts'
import type { Progress, Replication, SessionState } from '../../src/model/replication.ts'
import { createStage, quickOptions, volumeAt } from '../support/stage.ts'
import { aRun } from './a-run.ts'

/** A session whose progress is this, look after look (the last stays); keeps what it was told to do. */
async function replicated(
  looks: Progress[],
  {
    before = 'stopped',
    stopped = 'stopped',
    options = {},
  }: {
    before?: SessionState
    stopped?: SessionState
    options?: Partial<typeof quickOptions>
  } = {},
) {
  await using stage = await createStage([])
  const run = aRun()
  const acts: string[] = []
  let state = before
  let looked = 0
  let nudges = 0
  const replication: Replication = {
    ...stage.replicated.replication,
    session: async () => ({ state, bricks: [] }),
    start: async () => {
      acts.push(`start, owing ${run.owed().map(({ what }) => what.kind)}`)
      state = 'active'
    },
    stop: async () => {
      acts.push('stop')
      state = stopped
    },
    mark: async () => {
      acts.push('mark')
    },
    marked: async () => ({ at: 1 }),
    nudge: async () => {
      nudges += 1
    },
    progress: async () => looks[Math.min(looked++, looks.length - 1)] ?? { state: 'reached' },
  }
  const site = { hypervisor: stage.engine.hypervisor, replication }
  const primary = volumeAt('/p')
  await readySession(run, site)
  const error = await replicate(run, site, primary, { ...quickOptions, ...options }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { error, acts, looked, nudges, owed: run.owed().map(({ what }) => what.kind), events: run.events }
}

const waiting = (detail: string, reached = 0, busy = false): Progress & { state: 'waiting' } => ({
  state: 'waiting',
  reached,
  of: 3,
  busy,
  atWork: true,
  detail,
})
const start = 'start, owing session'

test('the stop is owed before the start, the mark is set before it, and after it all is struck', async () => {
  const { acts, owed, error } = await replicated([waiting('crawl'), { state: 'reached' }])
  expect(error).toBeUndefined()
  expect(acts).toEqual(['mark', start, 'stop'])
  expect(owed).toEqual([])
})

test('the primary is nudged before every look', async () => {
  const { nudges, looked } = await replicated([waiting('a'), waiting('b'), { state: 'reached' }])
  expect([nudges, looked]).toEqual([3, 3])
})

test.each<SessionState>(['active', 'paused', 'faulty', 'starting', 'unknown'])(
  'a session that was %s is stopped before the mark is set',
  async (before) => {
    const { acts, events } = await replicated([{ state: 'reached' }], { before })
    expect(acts).toEqual(['stop', 'mark', start, 'stop'])
    expect(events).toContainEqual({
      kind: 'note',
      severity: 'info',
      text: `the session was ${before}: it is stopped, and stays so after the run`,
    })
  },
)

test('silence for the stall time is answered by stop and start each time, and in the end by giving up', async () => {
  const { acts, error } = await replicated([waiting('crawl')], {
    options: { stallMs: 60_000, replicationMs: 200_000 },
  })
  expect(String(error)).toContain('waited 200 s for the replication checkpoint; last seen: crawl')
  expect(acts.join()).toMatch(/^mark,start, owing session(,stop,start, owing session){3}$/)
})

test('a session that works through a backlog is given more time before it is started again', async () => {
  const options = { stallMs: 60_000, replicationMs: 200_000 }
  const { acts } = await replicated([waiting('crawl', 0, true)], { options })
  expect(acts).toEqual(['mark', start])
})

test('a backlog that stays silent for long is started again all the same, less and less often', async () => {
  const options = { stallMs: 10_000, replicationMs: 1_000_000 }
  const restarts = async (replicationMs: number) => {
    const { acts } = await replicated([waiting('crawl', 0, true)], { options: { ...options, replicationMs } })
    return acts.filter((act) => act === 'stop').length
  }
  const [early, late] = [await restarts(500_000), await restarts(1_000_000)]
  expect(early).toBeGreaterThan(0)
  expect(late - early).toBeLessThanOrEqual(1)
})

test('a brick more that has reached the checkpoint is progress, though the words stay the same', async () => {
  const looks = [
    ...Array.from({ length: 50 }, () => waiting('crawl', 0)),
    ...Array.from({ length: 50 }, () => waiting('crawl', 1)),
    ...Array.from({ length: 50 }, () => waiting('crawl', 2)),
    { state: 'reached' } as const,
  ]
  expect((await replicated(looks)).acts).toEqual(['mark', start, 'stop'])
})

test('a session that does not run is started again after a pause, not at every look', async () => {
  const down: Progress = { state: 'down', detail: 'Stopped' }
  const looks = [...Array.from({ length: 15 }, () => down), waiting('crawl'), { state: 'reached' } as const]
  expect((await replicated(looks)).acts).toEqual(['mark', start, start, 'stop'])
})

test('a session whose workers come up is looked at in the usual pause, one at work sooner: its end is seen when it is there', async () => {
  const looksWithin = async (atWork: boolean, replicationMs: number) => {
    const looks = [{ ...waiting('crawl', 0, true), atWork }]
    return (await replicated(looks, { options: { intervalMs: 1000, replicationMs } })).looked
  }
  expect(await looksWithin(false, 10_000)).toBe(11)
  const early = await looksWithin(true, 10_000)
  expect(early).toBeGreaterThan(30)
  expect(early).toBeLessThan(100)
  const [minute, two] = [await looksWithin(true, 60_000), await looksWithin(true, 120_000)]
  expect(two - minute).toBe(60)
})

test('a time-out leaves the stop owed and tells how to give it more time', async () => {
  const { error, owed } = await replicated([waiting('crawl')], { options: { replicationMs: 10_000 } })
  expect(error).toMatchObject({ hint: expect.stringContaining('--timeout') })
  expect(owed).toEqual(['session'])
})

test('a session that does not stop stays owed', async () => {
  const { error, owed } = await replicated([{ state: 'reached' }], { stopped: 'active' })
  expect(String(error)).toContain('waited 120 s for the session to stop')
  expect(owed).toEqual(['session'])
})

test('a start that fails leaves the stop owed: nobody knows', async () => {
  await using stage = await createStage([])
  const run = aRun()
  stage.replicated.faults.failing.start = 'no answer'
  const site = { hypervisor: stage.engine.hypervisor, replication: stage.replicated.replication }
  const primary = volumeAt(stage.replicated.primaryDir)
  await expect(replicate(run, site, primary, quickOptions)).rejects.toBeInstanceOf(CommandFailed)
  expect(run.owed().map(({ what }) => what.kind)).toEqual(['session'])
})
