import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { AgentEvent } from '../../src/agent/agent.ts'
import { findAgent, openClient } from '../../src/api/client.ts'
import { EngineError, Failure, hintOf, Refused, TimedOut, Unknown } from '../../src/model/errors.ts'
import { aFolder } from '../run/a-folder.ts'
import { served } from './an-api.ts'
import { fakeAgent } from './fake-agent.ts'

const { signal } = new AbortController()

async function failure(promise: Promise<unknown>): Promise<Failure> {
  return promise.then(
    () => expect.unreachable(),
    (error: Failure) => error,
  )
}

it('tells what the agent tells', async () => {
  const { agent, socket } = await served()
  const client = openClient(socket)
  expect(await client.status()).toEqual(agent.status())
  expect(await client.jobs()).toEqual(agent.jobs())
  expect(await client.vms()).toEqual(agent.vms())
  expect(await client.points()).toEqual(agent.points())
  expect(await client.runs({ job: 'nightly', limit: 1e9 })).toEqual(
    agent.runs({ job: 'nightly', limit: 1000 }),
  )
  expect(await client.report('20261121T120000Z-0a1b2c3d')).toEqual(agent.report('20261121T120000Z-0a1b2c3d'))
  expect(await client.report('20261121T120000Z-ffffffff')).toBeUndefined()
})

it('does what the agent does', async () => {
  const { agent, socket } = await served()
  const client = openClient(socket)
  const stateOf = (name: string) => agent.jobs().find((job) => job.name === name)?.state
  expect(await client.start('nightly')).toBe('started')
  expect(await client.start('nightly')).toBe('running')
  await client.pause('nightly')
  expect(stateOf('nightly')).toBe('paused')
  await client.resume('nightly')
  expect(stateOf('nightly')).toBe('waiting')
  await client.start('hourly')
  await client.cancel('hourly')
  expect(stateOf('hourly')).toBe('waiting')
  expect(await client.protect(['web01', 'db01'], 'gold', signal)).toHaveLength(2)
  expect(agent.vms().map(({ policy }) => policy)).toEqual(['gold', 'gold'])
  expect(await client.unprotect(['web01'], signal)).toMatchObject([{ name: 'web01', state: 'not selected' }])
})

it('reaches a VM of any name', async () => {
  const { agent, socket } = await served()
  const names = ['..', '.', 'a/b', 'a b%2f?#', 'Größe 🙂']
  for (const name of names) agent.addVm({ name })
  const protectedOnes = await openClient(socket).protect(names, 'gold', signal)
  expect(protectedOnes.map(({ name }) => name)).toEqual(names)
})

it('fails as the agent does: with the same class, message and hint', async () => {
  const agent = fakeAgent()
  const { socket } = await served({}, agent)
  const client = openClient(socket)
  const unknown = await failure(client.start('weekly'))
  expect(unknown).toBeInstanceOf(Unknown)
  expect(unknown.message).toBe('there is no job "weekly"')
  expect(hintOf(unknown)).toBe('vmbackup status lists them')
  const refused = await failure(client.protect(['web01'], undefined, signal))
  expect(refused).toBeInstanceOf(Refused)
  expect(hintOf(refused)).toBe('name one: gold, silver')
  expect(await failure(client.protect(['web01', 'nobody'], 'gold', signal))).toBeInstanceOf(Unknown)
  const thrown = [
    new EngineError('the engine said no', { status: 503, hint: 'wait' }),
    new TimedOut('too long'),
    new Failure('odd'),
  ]
  for (const error of thrown) {
    agent.unprotect = async () => Promise.reject(error)
    const told = await failure(client.unprotect(['web01'], signal))
    expect(told.constructor).toBe(error.constructor)
    expect([told.message, told.hint]).toEqual([error.message, error.hint])
  }
})

it('tells nothing of an error that nobody thought of, and the log all of it', async () => {
  const agent = fakeAgent()
  const { socket, errors } = await served({}, agent)
  const bug = new TypeError('cannot read password hunter2')
  agent.status = () => {
    throw bug
  }
  const told = await failure(openClient(socket).status())
  expect(`${told.message} ${told.hint}`).not.toContain('hunter2')
  expect(errors).toEqual([bug])
})

it('finds no agent where nobody listens', async () => {
  const dir = aFolder()
  expect(await findAgent(join(dir, 'api.sock'))).toBeUndefined()
  expect(await findAgent(join(dir, 'run', 'api.sock'))).toBeUndefined()
  writeFileSync(join(dir, 'file'), '')
  expect(await findAgent(join(dir, 'file'))).toBeUndefined()
  const gone = await failure(openClient(join(dir, 'api.sock')).status())
  expect(hintOf(gone)).toContain('vmbackup daemon')
})

it('finds an agent that hangs', async () => {
  const { socket } = await served({ isAlive: () => false })
  expect(await (await findAgent(socket))?.jobs()).toHaveLength(2)
})

it.skipIf(process.getuid?.() === 0)('says what to do when it may not ask', async () => {
  const dir = join(aFolder(), 'closed')
  mkdirSync(dir)
  const { socket } = await served({ api: { socket: join(dir, 'api.sock') } })
  chmodSync(dir, 0)
  onTestFinished(() => chmodSync(dir, 0o700))
  expect(hintOf(await failure(findAgent(socket)))).toContain('as the user')
})

it('takes nothing else for an agent', async () => {
  const socket = join(aFolder(), 'other.sock')
  const other = createServer((_request, response) => response.end('<html>'))
  onTestFinished(() => void other.close())
  await new Promise<void>((done) => other.listen(socket, done))
  expect(await failure(findAgent(socket))).toBeInstanceOf(Failure)
})

it('tells events until its signal, and lets go of the agent then', async () => {
  const { agent, socket } = await served({ limits: { mostListeners: 1 } })
  const client = openClient(socket)
  const ending = new AbortController()
  const seen: AgentEvent[] = []
  const large: AgentEvent = {
    kind: 'run',
    job: 'nightly',
    pair: 'data--dr1--copy',
    event: { kind: 'note', severity: 'info', text: 'ü🙂'.repeat(200_000) },
  }
  for await (const event of client.events(ending.signal, 'nightly')) {
    seen.push(event)
    if (seen.length === 1) agent.tell(large)
    else ending.abort()
  }
  expect(seen).toEqual([{ kind: 'changed' }, large])
  await vi.waitFor(async () => {
    const again = new AbortController()
    for await (const _ of client.events(again.signal)) again.abort()
  })
  const events = client.events(signal, 'weekly')[Symbol.asyncIterator]()
  expect(await failure(events.next())).toBeInstanceOf(Unknown)
})

it('ends its events with the agent', async () => {
  const { socket, stop } = await served()
  const seen: AgentEvent[] = []
  for await (const event of openClient(socket).events(signal)) {
    seen.push(event)
    await stop()
  }
  expect(seen).toEqual([{ kind: 'changed' }])
})
