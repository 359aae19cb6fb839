import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scheduleOf } from '../../src/agent/schedule.ts'
import { describeConfig, readConfig } from '../../src/config/config.ts'
import { aFile, aFolder } from './files.ts'

const hour = 3_600_000

/** The example of README.md, "Jobs". */
const example = `[connection]
server = https://engine.example.com/ovirt-engine/api
user_name = vmbackup@internal
password_file = engine.password

# As often as an RPO of one hour asks for, by how long runs really take.
[job databases]
pairs = db dr1.example.com db-dr
rpo = 1h
select = tag:database, name:db*
exclude = name:*-test
exclude_disks = scratch*, db7/swap

# Two volumes in one run; by the clock; the VMs that have a policy in the engine.
[job office]
pairs = data dr1.example.com data-dr, home dr1.example.com home-dr
schedule = 0 */4 * * *
time_zone = Europe/Vienna
rpo = 1d
select = policy
blackout = Mon-Fri 08:00-10:00
bandwidth = 20M Mon-Fri 08:00-18:00, 100M
jitter = 5m
full_every = 7d
notify = ops, on-call

[policy gold]
rpo = 6h

[policy silver]
rpo = 1d
tag = dr-silver

[route ops]
severity = warning
mail = ops@example.com
digest = weekly Mon 07:00
time_zone = Europe/Vienna

[route on-call]
severity = alert
webhook = https://alerts.example.com/vmbackup
webhook_secret_file = webhook.secret
engine = yes

[mail]
server = mail.example.com:587
from = vmbackup@example.com
user_name = vmbackup
password_file = mail.password
`

async function inFolder(): Promise<string> {
  const folder = aFolder()
  for (const name of ['engine.password', 'mail.password', 'webhook.secret'])
    await writeFile(join(folder, name), 'hunter2\n', { mode: 0o600 })
  const file = join(folder, 'backup.cfg')
  await writeFile(file, example, { mode: 0o600 })
  return file
}

test('the example of jobs, policies and routes loads, with nothing to warn of', async () => {
  const { jobs, policies, routes, warnings } = await readConfig(await inFolder(), { env: {} })
  expect(warnings).toEqual([])
  expect(jobs.map((job) => scheduleOf(job)?.words)).toEqual(['by RPO of 1 h', '0 */4 * * * (Europe/Vienna)'])
  expect(jobs[0]).toMatchObject({
    name: 'databases',
    select: [
      { by: 'tag', tag: 'database' },
      { by: 'name', pattern: 'db*' },
    ],
    exclude: [{ by: 'name', pattern: '*-test' }],
    excludeDisks: ['scratch*', 'db7/swap'],
    retryMs: hour / 4,
    catchUp: true,
  })
  expect(jobs[1]?.pairs).toHaveLength(2)
  expect(jobs[1]).toMatchObject({ rpoMs: 24 * hour, notify: ['ops', 'on-call'], jitterMs: 300_000 })
  expect(policies).toMatchObject([
    { name: 'gold', rpoMs: 6 * hour },
    { name: 'silver', tag: 'dr-silver' },
  ])
  expect(routes).toMatchObject([{ digest: { day: 1, minute: 420 } }, { severity: 'alert', engine: true }])
})

test('jobs, policies and routes describe themselves so that they are read as the same', async () => {
  const first = await readConfig(await inFolder(), { env: {} })
  const described = describeConfig(first)
  // What comes after a webhook's host is a secret with many services.
  const hidden = '# webhook is set, and not shown beyond https://alerts.example.com'
  expect(described).toContain(hidden)
  const whole = described.replace(hidden, 'webhook = https://alerts.example.com/vmbackup')
  const second = await readConfig(await aFile(whole), { env: {} })
  expect({ ...second, file: '' }).toEqual({ ...first, file: '' })
})

test('a secret that stands in the file is not described', async () => {
  const route = '[route a]\nwebhook = https://e.test/\nwebhook_secret = hunter2\n'
  const config = await readConfig(
    await aFile(`${example.split('[job')[0]?.replace('_file = engine.password', ' = x')}${route}`),
    {
      env: {},
    },
  )
  expect(describeConfig(config)).toContain('[route a]\n')
  expect(describeConfig(config)).toContain('# webhook_secret is set and not shown\n')
  expect(describeConfig(config)).not.toContain('hunter2')
})
