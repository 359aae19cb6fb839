import { beforeAll, expect, test } from 'vitest'
import { fullMetrics } from './a-full-agent.ts'
import { readSeries } from './exposition.ts'
import { dashboard, dashboardQueries, type Query, ruleQueries, words } from './shipped.ts'

/** Label names of each metric, with all values each has. */
let real = new Map<string, Map<string, Set<string>>>()

/** Labels that Prometheus gives to all that it scrapes. */
const ofTheScrape = ['job', 'instance']
/** Of the process: there for who looks into a sick one, in the units and words of their library. */
const unusedOnPurpose = /^(process|nodejs)_/

const queries = [...dashboardQueries(), ...ruleQueries()]
const metricName = /\b((?:vmbackup|process|nodejs)_\w+)\b/g

beforeAll(async () => {
  const { metrics, tell } = fullMetrics()
  tell()
  real = new Map()
  for (const { name, labels } of readSeries((await metrics.text()).text)) {
    const known = real.get(name) ?? new Map<string, Set<string>>()
    real.set(name, known)
    for (const [key, value] of Object.entries(labels)) {
      known.set(key, (known.get(key) ?? new Set()).add(value))
    }
  }
})

const labelsOf = ({ expr }: Query): string[] => [
  ...ofTheScrape,
  ...words(expr, metricName).flatMap((name) => [...(real.get(name)?.keys() ?? [])]),
]

/** What is asked of labels: a pattern is taken for the words that it lists. */
function matchersOf(expr: string): { name: string; label: string; values: string[] }[] {
  return [...expr.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, name = '', inside = '']) =>
    [...inside.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)]
      .filter(([, label = '']) => !ofTheScrape.includes(label))
      .map(([, label = '', value = '']) => ({
        name,
        label,
        values: value.startsWith('$') ? [] : value.split('|'),
      })),
  )
}

test.each(queries)('$where asks for metrics, labels and values that there are: $expr', (query) => {
  const names = words(query.expr, metricName)
  expect(query.expr.includes('up{') || names.length > 0).toBe(true)
  for (const name of names) expect([...real.keys()]).toContain(name)
  for (const { name, label, values } of matchersOf(query.expr)) {
    expect([...(real.get(name)?.keys() ?? [])], name).toContain(label)
    expect([...(real.get(name)?.get(label) ?? [])], `${name} ${label}`).toEqual(
      expect.arrayContaining(values),
    )
  }
})

test.each(queries)('$where groups by and shows labels that there are: $expr', (query) => {
  const grouped = words(query.expr, /\b(?:by|without) \(([^)]*)\)/g).flatMap((list) => list.split(', '))
  for (const label of [...grouped, ...query.shows]) expect(labelsOf(query)).toContain(label)
})

test('every metric of ours is in the dashboard or in an alert', () => {
  const used = new Set(queries.flatMap(({ expr }) => words(expr, metricName)).map(family))
  const ours = [...new Set([...real.keys()].map(family))].filter((name) => !unusedOnPurpose.test(name))
  expect(ours.filter((name) => !used.has(name))).toEqual([])
  expect(ours.length).toBeGreaterThan(30)
})

test('the dashboard is one for Grafana 10 or newer, and none of its panels is empty or there twice', () => {
  expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(38)
  const panels = dashboard.panels.filter(({ type }) => type !== 'row')
  expect(panels.filter(({ targets = [] }) => targets.length === 0)).toEqual([])
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
})

/** A histogram's series belong to one metric. */
function family(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, '')
}
