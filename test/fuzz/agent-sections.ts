import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sectionName } from '../../src/config/agent-kinds.ts'
import { type Config, configKeys } from '../../src/config/keys.ts'
import { anyText, likeText } from './hostile.ts'
import { checkAmount } from './parser.ts'

/** The agent's part of a configuration. */
export const agent = `[job nightly]
pairs = data geo@dr1 data-dr,
  iso dr1 iso-dr
schedule = 0,30 */4 * * mon-fri
time_zone = Europe/Vienna
rpo = 4h
margin = 12.5%
select = tag:gold, name:web*
  regex:^db[0-9]+$
exclude = cluster:test
exclude_disks = swap*, db1/tmp
blackout = Mon-Fri 08:00-18:00, 22:00-06:00
bandwidth = 20M Mon-Fri 08:00-18:00, 1G
jitter = 5m
notify = ops
[job by-hand]
pairs = data geo@dr1 data-dr
enabled = no
[policy gold]
rpo = 1h
tag = gold
[route ops]
severity = normal
mail = ops@example.com, night@example.com
webhook = https://hooks.example.com/x?token=y
webhook_secret = s
digest = weekly Mon 07:00
[mail]
server = [2001:db8::1]:587
from = vmbackup@example.com
[api]
listen = 127.0.0.1:9736
[daemon]
rpo_warning = 20%
ping_url = https://ping.example.com/x
`

const samples = new Map(
  [...agent.matchAll(/^(\w+) = (.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
)

/** Texts of keys of the agent, some of every kind. */
export const agentValues = [...samples.values()]

const namedKeys = configKeys.filter(({ named }) => named)
const required = { job: 'pairs = a dr1 b\nrpo = 4h', policy: 'rpo = 1h', route: 'engine = yes' }

const section = fc.constantFrom('job', 'policy', 'route').chain((title) => {
  const keys = namedKeys.filter((row) => row.section === title)
  const line = fc.constantFrom(...keys).chain(({ key, default: preset }) => {
    const good = samples.get(key) ?? preset ?? 'full'
    const value = fc.oneof(
      { weight: 3, arbitrary: fc.constant(good) },
      { weight: 1, arbitrary: likeText(good) },
    )
    return fc.tuple(fc.constant(key), value)
  })
  const lines = fc.uniqueArray(line, { maxLength: 3, selector: ([key]) => key })
  const name = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('a', 'ops', 'none', 'constructor') },
    { weight: 1, arbitrary: anyText },
  )
  return fc.tuple(name, lines).map(([called, own]) => {
    const set = new Set(own.map(([key]) => key))
    const rest = required[title].split('\n').filter((text) => !set.has(text.split(' ')[0] ?? ''))
    return [`[${title} ${called}]`, ...rest, ...own.map(([key, value]) => `${key} = ${value}`)].join('\n')
  })
})

/** Some sections with names of their own, as they may be written by hand. */
export const namedSections = fc
  .array(section, { minLength: 1, maxLength: 4 })
  .map((sections) => `${sections.join('\n')}\n`)

/** What holds of every job, policy and route that was accepted; throws. */
export function checkNamed({ jobs, policies, routes }: Config): void {
  for (const one of [...jobs, ...policies, ...routes]) {
    assert.match(one.name, sectionName)
    for (const value of Object.values(one)) if (typeof value === 'number') checkAmount(Math.ceil(value))
  }
  for (const { pairs, notify = [] } of jobs) {
    assert.ok(pairs.length > 0)
    for (const name of notify) assert.ok(routes.some((route) => route.name === name))
  }
  for (const { mail, webhook, engine } of routes)
    assert.ok(mail !== undefined || webhook !== undefined || engine)
}
