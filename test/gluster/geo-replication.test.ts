import { mkdir, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createGeoReplication } from '../../src/gluster/geo-replication.ts'
import { CommandFailed, hintOf, Refused } from '../../src/model/errors.ts'
import type { Replication } from '../../src/model/replication.ts'
import { volumeAt } from '../support/stage.ts'
import { type Answer, fakeGluster, sample } from './fake-gluster.ts'

const { signal } = new AbortController()
const [info, secondaryInfo, stopped, paused, created, done, started, busy] = await Promise.all([
  sample('volume-info-single'),
  sample('volume-info-secondary'),
  sample('status-stopped'),
  sample('status-paused'),
  sample('status-created'),
  sample('status-active-checkpoint-yes'),
  sample('error-start-started'),
  sample('error-busy-config').then((text) => text.replace(/rc=0\s*$/, '')),
])
// The samples were recorded in two labs.
const at = (text: string) => text.replaceAll('>/var/tmp/gluster-lab/gp1/bricks/data/brick<', '>/bricks/data<')
const notThere = 'Geo-replication session between data and gs1::data-dr does not exist.'

async function withFake<T>(
  answers: Answer[],
  use: (replication: Replication, asked: () => Promise<string[]>, dir: string) => Promise<T>,
): Promise<T> {
  await using fake = await fakeGluster(answers)
  const replication = createGeoReplication({
    primary: 'data',
    secondary: { host: 'gs1', volume: 'data-dr' },
    command: fake.prefix,
    secondaryCommand: fake.prefix,
    logDir: fake.dir,
    busyMs: 15_000,
  })
  return await use(replication, fake.asked, fake.dir)
}

test('start of a session that runs is done', async () => {
  const answers = [
    { to: 'start', out: started },
    { to: 'status', out: done },
  ]
  await withFake(answers, (replication) => replication.start(signal))
})

test('start of a paused session stops it first, as Gluster would leave it paused', async () => {
  const answers = [
    { to: 'start', out: started, times: 1 },
    { to: 'status', out: paused },
    { to: 'stop', out: created },
    { to: 'start', out: created },
  ]
  await withFake(answers, async (replication, asked) => {
    await replication.start(signal)
    expect((await asked()).map((line) => line.split(' ').at(-2))).toEqual([
      'start',
      'status',
      'stop',
      'start',
    ])
  })
})

test('stop of a session that is not started is done', async () => {
  const out = started.replace('already started', 'is not running')
  await withFake([{ to: 'stop', out }], (replication) => replication.stop(signal))
})

test('stop with a glusterd down stops what answers, and does not call it stopped', async () => {
  const down = 'Peer gp3, which is a part of data volume, is down. Please bring up the peer and retry.'
  const answers = [
    { to: 'stop --xml', out: started.replace(/<opErrstr>.*<\/opErrstr>/, `<opErrstr>${down}</opErrstr>`) },
    {
      to: 'stop force',
      out: 'Stopping geo-replication session between data & gs1::data-dr has been successful',
    },
  ]
  await withFake(answers, async (replication, asked) => {
    await expect(replication.stop(signal)).rejects.toThrow('perhaps not on gp3')
    expect((await asked()).at(-1)).toContain('stop force')
  })
})

test('a start that Gluster was too busy for is asked again', async () => {
  const answers = [
    { to: 'start', out: busy, times: 1 },
    { to: 'start', out: created },
  ]
  await withFake(answers, async (replication, asked) => {
    await replication.start(signal)
    expect(await asked()).toHaveLength(2)
  })
})

test('another failure of a start is told', async () => {
  const out = started.replace('already started', 'cannot be started: gsyncd not found')
  await withFake([{ to: 'start', out }], async (replication) => {
    await expect(replication.start(signal)).rejects.toThrow('gsyncd not found')
  })
})

test.each<[string, (replication: Replication) => Promise<unknown>]>([
  ['session', (replication) => replication.session(signal)],
  ['start', (replication) => replication.start(signal)],
  ['stop', (replication) => replication.stop(signal)],
  ['mark', (replication) => replication.mark(signal)],
  ['marked', (replication) => replication.marked(signal)],
  ['progress', (replication) => replication.progress({ at: 1 }, signal)],
])('%s refuses a session that does not exist', async (_what, act) => {
  const answers = [
    { to: 'volume info', out: info },
    { to: '--xml', out: 'geo-replication command failed', code: 2 },
  ]
  const xmlError = started.replace(/<opErrstr>.*<\/opErrstr>/, `<opErrstr>${notThere}</opErrstr>`)
  const acts = ['start', 'stop'].map((to) => ({ to: `${to} --xml`, out: xmlError }))
  await withFake([...acts, ...answers, { to: '', err: notThere, code: 1 }], async (replication) => {
    await expect(act(replication)).rejects.toThrow(Refused)
  })
})

test('a mark is the time that Gluster wrote down', async () => {
  const answers = [
    { to: 'checkpoint now', out: 'geo-replication config updated successfully' },
    { to: 'config checkpoint', out: '1795221339\n' },
  ]
  await withFake(answers, async (replication) => {
    await replication.mark(signal)
    expect(await replication.marked(signal)).toEqual({ at: 1795221339 })
  })
})

test('a mark that cannot be read back fails', async () => {
  const answers = [{ to: 'checkpoint', out: '0' }]
  await withFake(answers, async (replication) => {
    await expect(replication.marked(signal)).rejects.toThrow('not a time: "0"')
  })
})

test('progress follows the status', async () => {
  const answers = [
    { to: 'volume info', out: info },
    { to: 'status', out: at(stopped), times: 1 },
    { to: 'status', out: at(done) },
  ]
  await withFake(answers, async (replication) => {
    const mark = { at: Date.parse('2026-11-20T22:51:11Z') / 1000 }
    expect((await replication.progress(mark, signal)).state).toBe('down')
    expect((await replication.progress(mark, signal)).state).toBe('reached')
  })
})

test('a session to another volume alone is refused', async () => {
  await withFake([{ to: 'status', out: stopped.replaceAll('::data-dr', '::other') }], async (replication) => {
    await expect(replication.session(signal)).rejects.toThrow(Refused)
  })
})

test('findings change nothing and find a fresh pair good', async () => {
  const answers = [
    { to: '--remote-host=gs1', out: secondaryInfo },
    { to: 'volume info', out: info },
    { to: 'status', out: at(created) },
    { to: 'sync-method', out: 'tarssh' },
  ]
  await withFake(answers, async (replication, asked) => {
    const found = await replication.findings(signal)
    expect(found.filter(({ subject }) => !/machine|rsync/.test(subject))).toEqual([])
    expect((await asked()).filter((line) => !/ info | status|config sync-method$/.test(line))).toEqual([])
  })
})

test('findings tell of a Gluster that cannot be asked', async () => {
  const err = 'Connection failed. Please check if gluster daemon is operational.'
  await withFake([{ to: '', err, code: 1 }], async (replication) => {
    const [first] = await replication.findings(signal)
    expect(first).toMatchObject({ severity: 'error', subject: 'primary volume data' })
    expect(first?.hint).toContain('systemctl start glusterd')
  })
})

test('findings end with an abort', async () => {
  await withFake([{ to: '', out: info }], async (replication) => {
    await expect(replication.findings(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})

test('the pair names its volumes and the hosts of the primary', async () => {
  await withFake([{ to: 'volume info', out: info }], async (replication) => {
    expect(await replication.pair(signal)).toEqual({
      primary: { volume: 'data', hosts: ['gp1'], sharded: false, replicated: false },
      secondary: { volume: 'data-dr', host: 'gs1' },
    })
  })
})

test('a volume that cannot be mounted leaves nothing behind and says where to look', async () => {
  await withFake(
    [{ to: 'volume info', out: info.replaceAll('gp1:', 'no-such-host.invalid:') }],
    async (replication, _asked, dir) => {
      const place = join(dir, 'mount')
      await mkdir(place)
      const failed = await replication.openPrimary(place, signal).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(failed).toBeInstanceOf(CommandFailed)
      expect(hintOf(failed)).toBeDefined()
      await replication.closeVolume(place, signal)
      expect(await readdir(dir)).not.toContain('mount')
    },
  )
})

test('a directory with something in it is not removed', async () => {
  await withFake([], async (replication, _asked, dir) => {
    await mkdir(join(dir, 'mount/kept'), { recursive: true })
    await expect(replication.closeVolume(join(dir, 'mount'), signal)).rejects.toThrow(
      'removing the mount point',
    )
    expect(await readdir(join(dir, 'mount'))).toEqual(['kept'])
  })
})

test('closing what is not there is done', async () => {
  await withFake([], async (replication, _asked, dir) => {
    await replication.closeVolume(join(dir, 'not/there'), signal)
  })
})

test('a nudge moves the time of the root', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'nudge-'))
  await utimes(dir, 1, 1)
  await withFake([], (replication) => replication.nudge(volumeAt(dir), signal))
  expect((await stat(dir)).mtimeMs).toBeGreaterThan(1_000)
  await rm(dir, { recursive: true })
})
