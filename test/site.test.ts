import { expect, test } from 'vitest'
import { readConfig } from '../src/config/config.ts'
import { optionsOf } from '../src/site.ts'
import { aFile } from './config/files.ts'

const text = `
[connection]
server = https://engine.example.com/ovirt-engine/api
user_name = admin@internal
password = secret
[replication]
timeout = 30m
[verify]
mode = quick
full_every = 7d
[policy gold]
rpo = 1h
[job nightly]
pairs = data gs1 data-dr
select = policy, name:web*
exclude = tag:scratch
exclude_disks = */swap
verify = full
timeout = 2h
time_zone = Europe/Vienna
bandwidth = 2M Mon-Fri 08:00-18:00, 20M
[job plain]
pairs = home gs1 home-dr
`

async function aConfig() {
  return readConfig(await aFile(text), { env: {} })
}

test('without a job a backup has what the sections say, and no selection', async () => {
  const options = optionsOf(await aConfig(), '1.0')
  expect(options).toMatchObject({ compare: 'quick', replicationMs: 1_800_000, fullEveryMs: 604_800_000 })
  expect(options).not.toHaveProperty('selection')
})

test('what a job says goes before the sections, and its selection knows the tags of the policies', async () => {
  const config = await aConfig()
  const [nightly, plain] = config.jobs
  expect(optionsOf(config, '1.0', nightly)).toMatchObject({
    compare: 'full',
    replicationMs: 7_200_000,
    fullEveryMs: 604_800_000,
    timeZone: 'Europe/Vienna',
    bandwidth: [
      { value: 2_097_152, window: { days: [1, 2, 3, 4, 5], from: 480, to: 1080 } },
      { value: 20_971_520 },
    ],
    selection: {
      job: 'nightly',
      include: [{ by: 'policy' }, { by: 'name', pattern: 'web*' }],
      exclude: [{ by: 'tag', tag: 'scratch' }],
      excludeDisks: ['*/swap'],
      policies: [{ name: 'gold', tag: 'vmbackup-gold', rpoMs: 3_600_000 }],
    },
  })
  expect(optionsOf(config, '1.0', plain)).not.toHaveProperty('bandwidth')
  expect(optionsOf(config, '1.0', plain)).toMatchObject({
    compare: 'quick',
    replicationMs: 1_800_000,
    selection: { include: [{ by: 'all' }], exclude: [], excludeDisks: [] },
  })
})
