import { expect, test } from 'vitest'
import { type Facts, judge } from '../../src/gluster/findings.ts'
import { listedSessions } from '../../src/gluster/status.ts'
import { type VolumeInfo, volumeInfoOf } from '../../src/gluster/volume-info.ts'
import { parseAnswer } from '../../src/gluster/xml.ts'
import { CommandFailed } from '../../src/model/errors.ts'
import { sample } from './fake-gluster.ts'

const brick = { host: 'gp1', hostUuid: '', path: '/var/tmp/gluster-lab/gp1/bricks/data/brick' }
const failed = new CommandFailed('gluster volume info: no answer', { argv: ['gluster'], hint: 'start it' })

async function aVolume(
  about: Partial<VolumeInfo>,
  options: Record<string, string> = {},
): Promise<VolumeInfo> {
  const found = volumeInfoOf(parseAnswer(await sample('volume-info-single')).root, 'data')
  if (found === undefined) throw new Error('no such sample')
  const fast = { 'changelog.rollover-time': '2', ...options }
  return { ...found, replicated: true, sets: [[brick]], options: new Map(Object.entries(fast)), ...about }
}

async function sessionIn(name: string) {
  return listedSessions(parseAnswer(await sample(name)).root)[0]
}

async function healthy(about: Partial<Facts> = {}): Promise<Facts> {
  const session = await sessionIn('status-stopped')
  return {
    primaryVolume: 'data',
    secondary: 'gs1::data-dr',
    primary: await aVolume({}),
    secondaryVolume: await aVolume({ name: 'data-dr' }),
    sessions: session === undefined ? [] : [session],
    session,
    syncMethod: 'rsync',
    secondaryRsync: 'rsync  version 3.2.7  protocol version 31',
    client: 'glusterfs 10.3',
    attributes: 'setfattr 2.5.1',
    ...about,
  }
}

const told = (facts: Facts) => judge(facts).map(({ severity, what }) => `${severity}: ${what}`)

test('a healthy stopped pair has nothing to find', async () => {
  expect(judge(await healthy())).toEqual([])
})

test('a session that does not exist is refused with the commands that make it', async () => {
  const [finding] = judge(await healthy({ session: undefined, sessions: [], syncMethod: undefined }))
  expect(finding?.severity).toBe('error')
  expect(finding?.hint).toContain('gluster system:: execute gsec_create')
  expect(finding?.hint).toContain('gluster volume geo-replication data gs1::data-dr create push-pem')
})

test('sessions to other places are named when ours does not exist', async () => {
  const other = await sessionIn('mountbroker-active')
  const facts = await healthy({ session: undefined, sessions: other === undefined ? [] : [other] })
  expect(told(facts).join()).toContain('there are: geoaccount@gs1::data-dr')
})

test('a session of another user is refused with that name', async () => {
  const session = await sessionIn('mountbroker-active')
  expect(told(await healthy({ session })).join()).toContain('error: it runs as geoaccount, not as root')
  expect(told(await healthy({ session, secondary: 'geoaccount@gs1::data-dr' })).join()).not.toContain(
    'geoaccount',
  )
})

test.each([
  ['status-active-history', 'warning: it is running'],
  ['status-paused', 'warning: it is paused'],
  ['status-faulty', 'warning: it is faulty now'],
])('%s is warned of', async (name, what) => {
  expect(told(await healthy({ session: await sessionIn(name) })).join()).toContain(what)
})

test('a brick that the session does not know is refused', async () => {
  const primary = await aVolume({ sets: [[brick, { ...brick, host: 'gp2' }]] })
  expect(told(await healthy({ primary })).join()).toMatch(/error: it does not know of gp2:/)
})

test.each<[string, Partial<VolumeInfo>, Record<string, string>, string]>([
  ['stopped', { started: false }, {}, 'error: it is not started'],
  ['dispersed', { dispersed: true, type: 'Disperse' }, {}, 'error: it is of type Disperse'],
  ['with change logs of 1 s', {}, { 'changelog.rollover-time': '1' }, 'error: changelog.rollover-time is 1'],
  [
    'with change logs of 15 s',
    {},
    { 'changelog.rollover-time': '15' },
    'warning: changelog.rollover-time is 15',
  ],
  [
    'without stat-prefetch',
    {},
    { 'performance.stat-prefetch': 'off' },
    'warning: performance.stat-prefetch is off',
  ],
])('a primary %s is found', async (_what, about, options, what) => {
  const found = told(await healthy({ primary: await aVolume(about, options) }))
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(what)
})

test('change logs of the default length are warned of', async () => {
  const primary = await aVolume({ options: new Map() })
  expect(told(await healthy({ primary })).join()).toContain('warning: changelog.rollover-time is 15')
})

test('sharding without replicas is warned of', async () => {
  const options = { 'features.shard': 'on' }
  const facts = await healthy({
    primary: await aVolume({ replicated: false }, options),
    secondaryVolume: await aVolume({}, options),
  })
  expect(told(facts).join()).toContain('warning: it is sharded and not replicated')
})

test('sharding without replicas is no finding where one thread writes at a time', async () => {
  const options = { 'features.shard': 'on', 'performance.io-thread-count': '1' }
  const facts = await healthy({
    primary: await aVolume({ replicated: false }, options),
    secondaryVolume: await aVolume({}, options),
  })
  expect(told(facts)).toEqual([])
})

test('sharding on one side only is refused', async () => {
  const primary = await aVolume({}, { 'features.shard': 'on' })
  expect(told(await healthy({ primary }))).toEqual(['error: sharding is off here and on on the primary'])
})

test('shards of another size are refused, written in another way they are not', async () => {
  const sized = (size: string) => aVolume({}, { 'features.shard': 'on', 'features.shard-block-size': size })
  const primary = await sized('64MB')
  expect(told(await healthy({ primary, secondaryVolume: await sized('4MB') })).join()).toContain(
    'shard-block-size',
  )
  expect(judge(await healthy({ primary, secondaryVolume: await sized('67108864') }))).toEqual([])
})

test.each(['3.5.0', 'v3.5.0', '3.6', '4.0.1'])('rsync %s on the secondary is refused', async (version) => {
  const facts = await healthy({ secondaryRsync: `rsync  version ${version}  protocol version 32` })
  expect(told(facts)).toHaveLength(1)
  expect(told(facts)[0]).toMatch(/^error: version .* copies nothing/)
})

test.each(['3.1.3', '3.2.7', '3.4.1'])('rsync %s on the secondary is fine', async (version) => {
  expect(judge(await healthy({ secondaryRsync: `rsync  version ${version}  protocol version 31` }))).toEqual(
    [],
  )
})

test('the version of rsync does not matter to tar', async () => {
  expect(judge(await healthy({ syncMethod: 'tarssh', secondaryRsync: 'rsync  version 3.5.0' }))).toEqual([])
})

test.each([undefined, failed, 'something else'])(
  'an rsync of unknown version (%s) is a warning',
  async (secondaryRsync) => {
    expect(judge(await healthy({ secondaryRsync })).map(({ severity }) => severity)).toEqual(['warning'])
  },
)

test('what could not be asked is refused with the reason and its hint', async () => {
  const facts = await healthy({
    primary: failed,
    sessions: failed,
    session: undefined,
    syncMethod: undefined,
  })
  expect(judge(facts).map(({ severity, hint }) => ({ severity, hint }))).toEqual(
    [1, 2].map(() => ({ severity: 'error', hint: 'start it' })),
  )
})

test('volumes that do not exist are refused, each once', async () => {
  const absent = {
    primary: undefined,
    secondaryVolume: undefined,
    sessions: [],
    session: undefined,
    syncMethod: undefined,
  }
  expect(told(await healthy(absent))).toEqual(['error: it does not exist', 'error: it does not exist'])
})

test('a secondary that does not answer is refused with what to look at there', async () => {
  const [finding] = judge(await healthy({ secondaryVolume: failed }))
  expect(finding?.severity).toBe('error')
  expect(finding?.hint).toContain('glusterd runs there')
})

test('a machine without the gluster client is refused', async () => {
  expect(told(await healthy({ client: failed })).join()).toContain('error: it could not be asked')
})
