import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { replicate } from '../../src/backup/replicate.ts'
import { createGeoReplication } from '../../src/gluster/geo-replication.ts'
import { aRun } from '../backup/a-run.ts'
import { quickOptions, volumeAt } from '../support/stage.ts'
import { fakeGluster, sample } from './fake-gluster.ts'

const [info, stopped, running, done] = await Promise.all([
  sample('volume-info-single'),
  sample('status-stopped'),
  sample('status-initializing'),
  sample('status-active-checkpoint-yes'),
])
const at = (text: string) => text.replaceAll('>/var/tmp/gluster-lab/gp1/bricks/data/brick<', '>/bricks/data<')

/** The gluster commands of one turn whose checkpoint is reached at the last of so many looks. */
async function commandsOf(looks: number): Promise<string[]> {
  await using fake = await fakeGluster([
    { to: 'volume info', out: info },
    { to: 'checkpoint now' },
    { to: 'config checkpoint', out: String(Date.parse('2026-11-20T22:50:55Z') / 1000) },
    { to: 'start --xml', out: stopped },
    { to: 'stop --xml', out: stopped },
    { to: 'status', out: at(running), times: looks - 1 },
    { to: 'status', out: at(done), times: 1 },
    { to: 'status', out: at(stopped) },
  ])
  const pair = { primary: 'data', secondary: { host: 'gs1', volume: 'data-dr' } }
  const replication = createGeoReplication({ ...pair, command: fake.prefix, logDir: fake.dir })
  const dir = await mkdtemp(join(tmpdir(), 'root-'))
  await replicate(aRun(), { replication, hypervisor: undefined as never }, volumeAt(dir), quickOptions)
  await rm(dir, { recursive: true })
  return (await fake.asked()).map((line) =>
    line.replace(/^--mode=script |volume geo-replication \S+ \S+ | --xml$/g, ''),
  )
}

test('one turn of replication costs five gluster commands, one for the volume, and one for each look', async () => {
  expect(await commandsOf(3)).toEqual([
    'config checkpoint now',
    'start',
    'config checkpoint',
    'volume info data',
    'status',
    'status',
    'status',
    'stop',
    'status',
  ])
  expect(await commandsOf(7)).toHaveLength(6 + 7)
})
