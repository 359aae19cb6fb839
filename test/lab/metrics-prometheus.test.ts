import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../src/lab/sites/until.ts'
import { fullMetrics } from '../metrics/a-full-agent.ts'
import { dashboardQueries } from '../metrics/shipped.ts'
import { type Prometheus, startPrometheus } from './prometheus.ts'

const { metrics, tell } = fullMetrics()
let token = 'read-me'
let server: Server
let prometheus: Prometheus

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  prometheus = await startPrometheus(`127.0.0.1:${port}`, token)
})
afterAll(async () => {
  await prometheus?.[Symbol.asyncDispose]()
  server?.close()
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url !== '/metrics' || request.headers.authorization !== `Bearer ${token}`) {
    response.writeHead(401).end()
    return
  }
  const { contentType, text } = await metrics.text()
  response.writeHead(200, { 'content-type': contentType }).end(text)
}

/** The one value of the expression, once there is one that is as wanted. */
async function seen(expr: string, isWanted: (value: number) => boolean = () => true): Promise<number> {
  const { value } = await until(expr, 15_000, async () => {
    const [one, ...others] = await prometheus.query(expr)
    return others.length === 0 && one !== undefined && isWanted(one.value) ? one : undefined
  })
  return value
}

test('Prometheus scrapes with the token of the example and knows the values', async () => {
  await seen('up{job="vmbackup"}', (up) => up === 1)
  expect(await seen('vmbackup_job_rpo_seconds{job_name="nightly"}')).toBe(3600)
  expect(await seen('vmbackup_job_rpo_vms{rpo="breach"}')).toBe(1)
  const age = await seen('time() - vmbackup_job_oldest_proved_point_timestamp_seconds')
  expect(Math.abs(age - 310 * 60)).toBeLessThan(60)
})

test('no label of ours stands against one of Prometheus', async () => {
  await seen('up{job="vmbackup"}', (up) => up === 1)
  expect(await prometheus.query('{exported_job!=""} or {exported_instance!=""}')).toEqual([])
})

test('every query of the dashboard has an answer', async () => {
  // An increase is seen between two scrapes; what has labels of its own begins with its first event.
  for (const times of [1, 2]) {
    await seen('count(vmbackup_healed_files_total)')
    tell()
    await seen('vmbackup_failed_steps_total', (count) => count === times)
  }
  const variables: [string, string][] = [
    ['$__rate_interval', '1m'],
    ['$__range', '1m'],
    ['$instance', '.*'],
    ['$job_name', '.*'],
  ]
  for (const { where, expr } of dashboardQueries()) {
    const filled = variables.reduce((text, [name, value]) => text.replaceAll(name, value), expr)
    await until(`${where}: ${filled}`, 10_000, async () => (await prometheus.query(filled)).length > 0)
  }
})

test('the alerts that are due fire with what to do, and no others', async () => {
  const named = (state: string) => async () =>
    (await prometheus.alerts()).filter((one) => one.state === state).map(({ labels }) => labels['alertname'])
  const firing = [
    'VmbackupLastRunNotProtected',
    'VmbackupRpoAboutToBreak',
    'VmbackupRpoBreached',
    'VmbackupTrouble',
  ]
  await until('four alerts to fire', 15_000, async () => (await named('firing')()).length >= firing.length)
  expect((await named('firing')()).sort()).toEqual(firing)
  expect((await named('pending')()).sort()).toEqual(['VmbackupOutboxFailing', 'VmbackupOwed'])
  const trouble = (await prometheus.alerts()).find(({ labels }) => labels['alertname'] === 'VmbackupTrouble')
  expect(trouble?.annotations['summary']).toMatch(/^The agent has had trouble with engine for 20m/)
  expect(trouble?.annotations['description']).toContain('vmbackup status')
})

test('an agent that refuses the token counts as down', async () => {
  token = 'another'
  await seen('up{job="vmbackup"}', (up) => up === 0)
  await until('the alert to be pending', 10_000, async () =>
    (await prometheus.alerts()).some(({ labels }) => labels['alertname'] === 'VmbackupDown'),
  )
})
