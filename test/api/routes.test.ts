import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { VmView } from '../../src/agent/view.ts'
import { addToken } from '../../src/api/tokens.ts'
import { ask, type Served, served } from './an-api.ts'

type Ask = (path: string, method?: string, body?: unknown) => Promise<{ status: number; answer: unknown }>

const sent = (body: unknown) => (body === undefined ? {} : { body: JSON.stringify(body) })
const typed = (body: unknown): Record<string, string> =>
  body === undefined ? {} : { 'content-type': 'application/json' }

const doors: [string, (api: Served) => Ask][] = [
  [
    'the socket',
    ({ socket }) =>
      async (path, method = 'GET', body) => {
        const { status, body: text } = await ask(socket, path, {
          method,
          headers: typed(body),
          ...sent(body),
        })
        return { status, answer: JSON.parse(text) }
      },
  ],
  [
    'an address, with a token',
    ({ url, tokens }) =>
      async (path, method = 'GET', body) => {
        const headers = { authorization: `Bearer ${tokens.operate}`, ...typed(body) }
        const response = await fetch(url + path, { method, headers, ...sent(body) })
        return { status: response.status, answer: await response.json() }
      },
  ],
]

it.each(doors)('answers all questions by %s', async (_, door) => {
  const api = await served()
  const { agent } = api
  const asked = door(api)
  expect(await asked('/')).toEqual({
    status: 200,
    answer: { name: 'vmbackup', api: '/api/v1', document: '/api/v1/openapi.json' },
  })
  const answers: [string, unknown][] = [
    ['health', { status: 'ok' }],
    ['status', agent.status()],
    ['jobs', agent.jobs()],
    ['jobs/hourly', agent.jobs()[1]],
    ['vms', agent.vms()],
    ['vms/web01', agent.vms()[1]],
    [`vms/${agent.vms()[0]?.id}`, agent.vms()[0]],
    ['vms?job=hourly', [agent.vms()[0]]],
    ['vms?rpo=ok', [agent.vms()[1]]],
    ['vms?name=WEB', [agent.vms()[1]]],
    ['vms?job=hourly&rpo=ok', []],
    ['runs', agent.runs({ limit: 100 })],
    ['runs?job=hourly', []],
    ['runs/20261121T120000Z-0a1b2c3d', agent.report('20261121T120000Z-0a1b2c3d')],
    ['points', agent.points()],
  ]
  for (const [path, answer] of answers)
    expect(await asked(`/api/v1/${path}`), path).toEqual({ status: 200, answer })
  expect((await asked('/api/v1/runs/20261121T120000Z-00000000')).status).toBe(404)
  expect((await asked('/api/v1/vms/nobody')).status).toBe(404)
})

it.each(doors)('has the agent do everything by %s', async (_, door) => {
  const api = await served()
  const { agent } = api
  const asked = door(api)
  const post = (path: string, body?: unknown) => asked(`/api/v1/${path}`, 'POST', body)
  const stateOf = (name: string) => agent.jobs().find((job) => job.name === name)?.state
  expect(await post('jobs/nightly/start')).toEqual({
    status: 202,
    answer: { job: 'nightly', state: 'started' },
  })
  expect(stateOf('nightly')).toBe('running')
  expect(await post('jobs/nightly/start')).toMatchObject({ status: 202, answer: { state: 'running' } })
  for (const [act, state] of [
    ['cancel', 'waiting'],
    ['pause', 'paused'],
    ['resume', 'waiting'],
  ] as const) {
    expect(await post(`jobs/nightly/${act}`)).toEqual({ status: 200, answer: { ...agent.jobs()[0], state } })
    expect(stateOf('nightly')).toBe(state)
  }
  expect(await post('vms/web01/protect', { policy: 'gold' })).toMatchObject({
    status: 200,
    answer: { policy: 'gold' },
  })
  expect(await post('vms/web01/protect')).toEqual({
    status: 409,
    answer: { error: { message: 'there are 2 policies', hint: 'name one: gold, silver' } },
  })
  expect(await post('vms/web01/unprotect')).toMatchObject({ status: 200, answer: { state: 'not selected' } })
  expect((await post('vms/protect', { vms: ['web01', 'db01'], policy: 'silver' })).answer).toHaveLength(2)
  expect(agent.vms().map(({ policy }) => policy)).toEqual(['silver', 'silver'])
  expect((await post('vms/unprotect', { vms: ['db01'] })).answer).toHaveLength(1)
  expect(await post('jobs/weekly/start')).toEqual({
    status: 404,
    answer: { error: { message: 'there is no job "weekly"', hint: 'vmbackup status lists them' } },
  })
})

it('gives no more runs than asked for', async () => {
  const { agent, socket } = await served()
  const [report] = agent.runs({ limit: 1 }).map(({ run }) => agent.report(run))
  for (let n = 0; n < 150; n += 1) {
    if (report) agent.addReport({ ...report, run: `20261121T120000Z-${String(n).padStart(8, '0')}` })
  }
  const count = async (query: string) =>
    (JSON.parse((await ask(socket, `/api/v1/runs${query}`)).body) as unknown[]).length
  expect([await count(''), await count('?limit=7'), await count('?limit=1000')]).toEqual([100, 7, 151])
})

it('says by its health when the agent hangs, and answers all the same', async () => {
  let alive = true
  const { socket } = await served({ isAlive: () => alive })
  expect((await ask(socket, '/api/v1/health')).status).toBe(200)
  alive = false
  const sick = await ask(socket, '/api/v1/health')
  expect([sick.status, sick.body]).toEqual([503, expect.stringContaining('the agent hangs')])
  expect((await ask(socket, '/api/v1/status')).status).toBe(200)
})

it('answers ten thousand VMs', async () => {
  const { agent, socket } = await served()
  for (let n = 0; n < 10_000; n += 1) agent.addVm({ name: `vm${n}` })
  const { status, body } = await ask(socket, '/api/v1/vms')
  expect(status).toBe(200)
  expect((JSON.parse(body) as VmView[]).length).toBe(10_002)
})

it('goes on when the tokens cannot be read, and says so to the log', async () => {
  const { url, stateDir, tokens, errors, socket } = await served()
  writeFileSync(`${stateDir}/tokens.db`, 'x'.repeat(4096))
  const response = await fetch(`${url}/api/v1/status`, {
    headers: { authorization: `Bearer ${tokens.read}` },
  })
  expect(response.status).toBe(500)
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringContaining('cannot use the tokens') },
  })
  expect(errors).toHaveLength(1)
  expect((await ask(socket, '/api/v1/status')).status).toBe(200)
  expect(() => addToken(stateDir, { name: 'x', right: 'read' }, new Date())).toThrow('cannot use the tokens')
})
