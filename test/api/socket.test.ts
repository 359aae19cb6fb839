import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { expect, it, onTestFinished } from 'vitest'
import { serveApi } from '../../src/api/server.ts'
import { hintOf, Refused, UsageError } from '../../src/model/errors.ts'
import { aFolder } from '../run/a-folder.ts'
import { ask, served } from './an-api.ts'
import { fakeAgent } from './fake-agent.ts'

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  )
}

function serveAt(socket: string) {
  const api = { socket, openMetrics: false }
  return serveApi(fakeAgent(), {
    api,
    stateDir: aFolder(),
    version: '1',
    isAlive: () => true,
    onError: () => undefined,
  })
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

it('can be opened by its owner only, in a directory of its owner only, whatever the umask', async () => {
  const before = process.umask(0)
  onTestFinished(() => void process.umask(before))
  const { socket } = await served()
  expect(modeOf(socket)).toBe('600')
  expect(modeOf(dirname(socket))).toBe('700')
  expect(process.umask()).toBe(0)
})

it('leaves the mode of a directory that was there', async () => {
  const dir = join(aFolder(), 'run')
  mkdirSync(dir)
  chmodSync(dir, 0o755)
  await served({ api: { socket: join(dir, 'api.sock') } })
  expect(modeOf(dir)).toBe('755')
})

it('answers everything without a token, and is gone when the server is', async () => {
  const { socket, stop, acts } = await served()
  expect((await ask(socket, '/api/v1/jobs/nightly/pause', { method: 'POST' })).status).toBe(200)
  expect(acts).toEqual([{ who: 'socket', path: '/api/v1/jobs/nightly/pause', status: 200 }])
  await stop()
  expect(existsSync(socket)).toBe(false)
})

it('replaces the socket of a process that was killed', async () => {
  const socket = join(aFolder(), 'api.sock')
  const script = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`
  await execa(process.execPath, ['-e', script], { reject: false })
  expect(existsSync(socket)).toBe(true)
  await served({ api: { socket } })
  expect((await ask(socket, '/api/v1/health')).status).toBe(200)
})

it('refuses a socket that another agent listens on, and leaves it to that one', async () => {
  const { socket } = await served()
  const error = await failure(serveAt(socket))
  expect(error).toBeInstanceOf(Refused)
  expect(String(error)).toContain(socket)
  expect(hintOf(error)).toContain('vmbackup status')
  expect((await ask(socket, '/api/v1/health')).status).toBe(200)
})

it('never removes what is no socket', async () => {
  const file = join(aFolder(), 'api.sock')
  writeFileSync(file, 'precious')
  expect(await failure(serveAt(file))).toBeInstanceOf(UsageError)
  expect(statSync(file).size).toBe(8)
})

it('refuses a path that the kernel would cut', async () => {
  expect(await failure(serveAt(join(aFolder(), 'x'.repeat(120))))).toBeInstanceOf(UsageError)
})

it('says what to do when the directory cannot be made', async () => {
  const file = join(aFolder(), 'file')
  writeFileSync(file, '')
  const error = await failure(serveAt(join(file, 'run', 'api.sock')))
  expect(hintOf(error)).toContain('[api] socket')
})

it('leaves nothing behind when the address cannot be listened on', async () => {
  const taken = createServer()
  onTestFinished(() => void taken.close())
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
  const { port } = taken.address() as { port: number }
  const socket = join(aFolder(), 'api.sock')
  const error = await failure(served({ api: { socket, listen: { host: '127.0.0.1', port } } }))
  expect(String(error)).toContain(`cannot listen on 127.0.0.1, port ${port}`)
  expect(existsSync(socket)).toBe(false)
})
