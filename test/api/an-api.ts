import { request } from 'node:http'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type ApiOptions, serveApi } from '../../src/api/server.ts'
import { addToken } from '../../src/api/tokens.ts'
import { aFolder } from '../run/a-folder.ts'
import { type FakeAgent, fakeAgent } from './fake-agent.ts'

export interface Served {
  agent: FakeAgent
  socket: string
  stateDir: string
  /** Of the address. */
  url: string
  tokens: { read: string; operate: string }
  /** What the server complained of. */
  errors: unknown[]
  acts: unknown[]
  stop(): Promise<void>
}

type Changes = Partial<Omit<ApiOptions, 'api'>> & { api?: Partial<ApiOptions['api']> }

/** The API of a fake agent, on a socket and on loopback, until the test ends. */
export async function served(changes: Changes = {}, agent: FakeAgent = fakeAgent()): Promise<Served> {
  const stateDir = aFolder()
  const socket = join(stateDir, 'run', 'api.sock')
  const now = new Date('2026-11-21T12:00:00Z')
  const tokens = {
    read: addToken(stateDir, { name: 'grafana', right: 'read' }, now),
    operate: addToken(stateDir, { name: 'ops', right: 'operate' }, now),
  }
  const errors: unknown[] = []
  const acts: unknown[] = []
  const server = await serveApi(agent, {
    stateDir,
    version: '0.1.0',
    isAlive: () => true,
    onError: (error) => errors.push(error),
    onAct: (act) => acts.push(act),
    ...changes,
    api: { socket, listen: { host: '127.0.0.1', port: 0 }, openMetrics: false, ...changes.api },
  })
  const stop = async () => server[Symbol.asyncDispose]()
  onTestFinished(stop)
  return { agent, socket, stateDir, url: server.url ?? '', tokens, errors, acts, stop }
}

export interface Answer {
  status: number
  type: string
  headers: Record<string, string | string[] | undefined>
  body: string
}

export interface Asking {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** Asks over the socket, with the path as it stands. */
export function ask(socket: string, path: string, asking: Asking = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = asking
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, path, method, headers }, (response) => {
      const answer = (text: string) =>
        resolve({
          status: response.statusCode ?? 0,
          type: (response.headers['content-type'] ?? '').split(';')[0] ?? '',
          headers: response.headers,
          body: text,
        })
      // An event stream has no end.
      if (response.headers['content-type'] === 'text/event-stream') {
        response.destroy()
        answer('')
        return
      }
      let text = ''
      response.setEncoding('utf8').on('data', (piece) => {
        text += piece
      })
      response.on('end', () => answer(text)).on('error', reject)
    })
    asked.on('error', reject).end(body)
  })
}
