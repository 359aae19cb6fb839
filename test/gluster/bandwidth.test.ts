import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bandwidthAt } from '../../src/gluster/bandwidth.ts'
import { glusterAt } from '../../src/gluster/cli.ts'
import { createGeoReplication } from '../../src/gluster/geo-replication.ts'
import { fakeGluster, sample } from './fake-gluster.ts'

const { signal } = new AbortController()
const session = ['volume', 'geo-replication', 'data', 'gs1::data-dr']

/** A `gluster` that keeps settings as the real one does: a value must not begin with a dash, a blank before it is dropped. */
async function aSession(
  set: Record<string, string>,
  defaults: Record<string, string> = { 'sync-jobs': '3' },
) {
  const dir = await mkdtemp(join(tmpdir(), 'settings-'))
  for (const [name, value] of Object.entries(set)) await writeFile(join(dir, `set.${name}`), value)
  for (const [name, value] of Object.entries(defaults)) await writeFile(join(dir, `default.${name}`), value)
  const script = `#!/bin/sh
cd ${dir}; shift 6; echo "$*" >> asked
if [ -e frozen ] && [ "$#,\${1#!}" != "1,$1" ]; then exit 0; fi
case "$#,$1,$2" in
  1,!*,) rm -f "set.\${1#!}"; echo 'geo-replication config updated successfully';;
  1,*) cat "set.$1" 2>/dev/null || cat "default.$1" 2>/dev/null; echo;;
  2,*,-*) echo "unrecognized option $2" >&2; exit 255;;
  2,*) printf %s "\${2# }" > "set.$1"; echo 'geo-replication config updated successfully';;
esac
`
  await writeFile(join(dir, 'gluster'), script)
  await chmod(join(dir, 'gluster'), 0o755)
  const prefix = ['env', `PATH=${dir}:/usr/bin:/bin`]
  const bandwidth = bandwidthAt(glusterAt({ prefix, timeoutMs: 10_000, busyMs: 0 }), session)
  const read = (name: string) => readFile(join(dir, name), 'utf8').catch(() => undefined)
  return {
    bandwidth,
    now: (name: string) => read(`set.${name}`),
    put: (name: string, value: string) => writeFile(join(dir, `set.${name}`), value),
    freeze: () => writeFile(join(dir, 'frozen'), ''),
    asked: async () => ((await read('asked')) ?? '').split('\n').filter((line) => line !== ''),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  }
}

test('a limit is shared by the bricks that send, in KiB per second, one rsync each', async () => {
  await using one = await aSession({})
  const found = await one.bandwidth.found(signal)
  await one.bandwidth.limit(2_000_000, 3, found, signal)
  expect(await one.now('rsync-options')).toBe('--bwlimit=651')
  expect(await one.now('sync-jobs')).toBe('1')
})

test('a share is never none, which would be no limit', async () => {
  await using one = await aSession({})
  await one.bandwidth.limit(65_536, 200, await one.bandwidth.found(signal), signal)
  expect(await one.now('rsync-options')).toBe('--bwlimit=1')
})

test("the administrator's own options go on to hold, and ours comes last", async () => {
  await using one = await aSession({ 'rsync-options': '--compress  --bwlimit=9000', 'sync-jobs': '7' })
  const found = await one.bandwidth.found(signal)
  await one.bandwidth.limit(1_048_576, 1, found, signal)
  await one.bandwidth.limit(2_097_152, 1, found, signal)
  expect(await one.now('rsync-options')).toBe('--compress  --bwlimit=9000 --bwlimit=2048')
  await one.bandwidth.restore(found, signal)
  expect(await one.now('rsync-options')).toBe('--compress  --bwlimit=9000')
  expect(await one.now('sync-jobs')).toBe('7')
})

test('what was not set is not set afterwards, also where the default is not that of Gluster', async () => {
  await using one = await aSession({}, { 'rsync-options': '--whole-file', 'sync-jobs': '5' })
  const found = await one.bandwidth.found(signal)
  await one.bandwidth.limit(1_048_576, 1, found, signal)
  expect(await one.now('rsync-options')).toBe('--whole-file --bwlimit=1024')
  await one.bandwidth.restore(found, signal)
  expect([await one.now('rsync-options'), await one.now('sync-jobs')]).toEqual([undefined, undefined])
})

test('what is as it was found is only looked at', async () => {
  await using one = await aSession({})
  await one.bandwidth.restore({ 'rsync-options': '', 'sync-jobs': '3' }, signal)
  expect(await one.asked()).toEqual(['rsync-options', 'sync-jobs'])
})

test('what somebody else has set meanwhile stays', async () => {
  await using one = await aSession({})
  const found = await one.bandwidth.found(signal)
  await one.bandwidth.limit(1_048_576, 1, found, signal)
  await one.put('rsync-options', '--bwlimit=77 --compress')
  await one.put('sync-jobs', '9')
  await one.bandwidth.restore(found, signal)
  expect(await one.now('rsync-options')).toBe('--bwlimit=77 --compress')
  expect(await one.now('sync-jobs')).toBe('9')
})

test('a session that goes by tar is refused', async () => {
  await using one = await aSession({ 'sync-method': 'tarssh' })
  const [finding] = await one.bandwidth.findings(signal)
  expect(finding).toMatchObject({ severity: 'error', what: expect.stringContaining('sync-method is tarssh') })
  await one.put('sync-method', 'rsync')
  expect(await one.bandwidth.findings(signal)).toEqual([])
})

test.each([[{}], [{ 'rsync-options': '' }], [{ 'rsync-options': '', 'sync-jobs': '3; reboot' }]])(
  'a note that holds no settings of a session changes nothing: %j',
  async (noted) => {
    await using one = await aSession({ 'sync-jobs': '1' })
    await expect(one.bandwidth.restore(noted, signal)).rejects.toMatchObject({
      hint: expect.stringContaining('--waive'),
    })
    expect(await one.asked()).toEqual([])
  },
)

test('a setting that does not come back is told', async () => {
  await using one = await aSession({})
  const found = await one.bandwidth.found(signal)
  await one.bandwidth.limit(1_048_576, 1, found, signal)
  await one.freeze()
  await expect(one.bandwidth.restore(found, signal)).rejects.toThrow(
    'rsync-options: it is not as it was found',
  )
})

test('nothing is restored while a node does not answer, which would keep its limit', async () => {
  const status = (await sample('status-stopped')).replaceAll(
    />[^<]*<\/primary_brick>/g,
    '>/bricks/other</primary_brick>',
  )
  await using fake = await fakeGluster([
    { to: 'volume info', out: await sample('volume-info-single') },
    { to: 'status', out: status },
  ])
  const replication = createGeoReplication({
    primary: 'data',
    secondary: { host: 'gs1', volume: 'data-dr' },
    command: fake.prefix,
    logDir: fake.dir,
  })
  const found = { 'rsync-options': '', 'sync-jobs': '3' }
  await expect(replication.unlimit(found, signal)).rejects.toThrow('do not reach gp1')
  expect((await fake.asked()).filter((line) => line.includes('config'))).toEqual([])
})
