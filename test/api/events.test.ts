import { createConnection, type Socket } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { AgentEvent } from '../../src/agent/agent.ts'
import { type Served, served } from './an-api.ts'

/** A client that reads or does not, as it is told. */
function listening({ socket }: Served, path = '/api/v1/events') {
  const client: Socket = createConnection({ path: socket })
  onTestFinished(() => void client.destroy())
  const seen = { text: '', closed: false }
  client.on('close', () => {
    seen.closed = true
  })
  client.on('error', () => undefined)
  client.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  const read = () =>
    client.on('data', (piece) => {
      seen.text += piece
    })
  return { client, seen, read }
}

function note(job: string, text: string): AgentEvent {
  return { kind: 'run', job, pair: 'data--dr1--copy', event: { kind: 'note', severity: 'info', text } }
}

/** All of a stream's events that hold a text. */
const eventsIn = (text: string) =>
  [...text.matchAll(/id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n/g)].map(([, ...all]) => all)

it('begins with "changed", and tells what happens as it happens, each with its kind and its id', async () => {
  const api = await served()
  const { seen, read } = listening(api)
  read()
  await vi.waitFor(() => expect(seen.text).toContain('event: changed'))
  expect(seen.text).toContain('content-type: text/event-stream')
  api.agent.tell(note('nightly', 'one\ntwo'))
  api.agent.tell({ kind: 'changed' })
  await vi.waitFor(() => expect(eventsIn(seen.text)).toHaveLength(3))
  expect(eventsIn(seen.text)).toEqual([
    ['0', 'changed', '{"kind":"changed"}'],
    ['1', 'run', JSON.stringify(note('nightly', 'one\ntwo'))],
    ['2', 'changed', '{"kind":"changed"}'],
  ])
})

it('tells of one job only when asked to, and refuses a job that there is not', async () => {
  const api = await served()
  const { seen, read } = listening(api, '/api/v1/events?job=hourly')
  read()
  await vi.waitFor(() => expect(seen.text).toContain('event: changed'))
  api.agent.tell(note('nightly', 'not this'))
  api.agent.tell(note('hourly', 'this'))
  await vi.waitFor(() => expect(seen.text).toContain('"this"'))
  expect(seen.text).not.toContain('not this')
  const other = listening(api, '/api/v1/events?job=weekly')
  other.read()
  await vi.waitFor(() => expect(other.seen.text).toContain('404 Not Found'))
  expect(other.seen.text).toContain('there is no job')
})

it('sends comments while nothing happens', async () => {
  const api = await served({ limits: { heartbeatMs: 20 } })
  const { seen, read } = listening(api)
  read()
  await vi.waitFor(() => expect(seen.text.match(/\n: heartbeat\n\n/g)?.length).toBeGreaterThan(2))
})

it('cuts off a client that does not read before much waits for it, while another one gets everything', async () => {
  const api = await served({ limits: { mostWaiting: 256 * 1024 } })
  const deaf = listening(api)
  const good = listening(api)
  good.read()
  await vi.waitFor(() => expect(good.seen.text).toContain('event: changed'))
  const long = 'x'.repeat(64 * 1024)
  // As fast as one of them reads: what is kept for the other adds up.
  for (let told = 1; told <= 60; told += 1) {
    api.agent.tell(note('nightly', `${told} ${long}`))
    await vi.waitFor(() => expect(eventsIn(good.seen.text)).toHaveLength(told + 1), { interval: 2 })
  }
  expect(good.seen.closed).toBe(false)
  // What the kernel holds of it can still be read; then it ends.
  deaf.read()
  await vi.waitFor(() => expect(deaf.seen.closed).toBe(true))
  expect(deaf.seen.text.length).toBeLessThan(1024 * 1024)
})

it('cuts off a client that has taken nothing for a while, however little there is', async () => {
  const api = await served({ limits: { stallMs: 50, mostListeners: 1, mostWaiting: 2 ** 30 } })
  const deaf = listening(api)
  await isFull(api)
  for (let told = 1; told <= 60; told += 1) api.agent.tell(note('nightly', 'x'.repeat(64 * 1024)))
  // Its place is free.
  await vi.waitFor(async () => expect(await placeIn(api)).toBe('200'))
  deaf.read()
  await vi.waitFor(() => expect(deaf.seen.closed).toBe(true))
  expect(deaf.seen.text.length).toBeLessThan(1024 * 1024)
})

/** What the server says to one listener more. */
async function placeIn(api: Served): Promise<string | undefined> {
  const next = listening(api)
  next.read()
  await vi.waitFor(() => expect(next.seen.text).toMatch(/^HTTP\/1.1 \d+/))
  next.client.destroy()
  return /^HTTP\/1.1 (\d+)/.exec(next.seen.text)?.[1]
}

async function isFull(api: Served): Promise<void> {
  await vi.waitFor(async () => expect(await placeIn(api)).toBe('503'))
}

it('lets go of clients that disconnect, and refuses more than it can serve', async () => {
  const api = await served({ limits: { mostListeners: 3 } })
  for (let turn = 0; turn < 5; turn += 1) {
    const clients = [listening(api), listening(api), listening(api)]
    for (const { seen, read } of clients) {
      read()
      await vi.waitFor(() => expect(seen.text).toContain('event: changed'))
    }
    await isFull(api)
    for (const { client } of clients) client.destroy()
    // Whoever comes next gets a place once they are seen to be gone.
    await vi.waitFor(async () => expect(await placeIn(api)).toBe('200'))
  }
  expect(api.errors).toEqual([])
})

it('ends with the server, and watches the agent no longer', async () => {
  const api = await served()
  const { seen, read } = listening(api)
  read()
  await vi.waitFor(() => expect(seen.text).toContain('event: changed'))
  expect(api.agent.watchers).toBe(1)
  await api.stop()
  expect(api.agent.watchers).toBe(0)
  await vi.waitFor(() => expect(seen.closed).toBe(true))
})
