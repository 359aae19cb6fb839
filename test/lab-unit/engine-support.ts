import { vi } from 'vitest'
import { createControl } from '../../src/lab/engine/control.ts'
import { createEngine } from '../../src/lab/engine/engine.ts'
import { RequestLog } from '../../src/lab/engine/http/request-log.ts'
import { SignOn } from '../../src/lab/engine/http/sign-on.ts'
import { type StandardOptions, standardWorld } from '../../src/lab/engine/inventory.ts'
import { RecordedHost } from '../../src/lab/engine/recorded-host.ts'
import { boot } from '../../src/lab/engine/world/boot.ts'

const site = 'https://engine.example.com'
const api = '/ovirt-engine/api'

// Answers are read as any client would: without types.
// biome-ignore lint/suspicious/noExplicitAny: the tests look into JSON of many shapes
type Json = any

export interface Reply {
  status: number
  headers: Headers
  text: string
  json: Json
}

/** An engine over the standard world, its time standing still until `passes`. */
export async function anEngine(options: Partial<StandardOptions> = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const host = new RecordedHost()
  const world = standardWorld({ host, ...options })
  await boot(world)
  const log = new RequestLog()
  const signOn = new SignOn(world)
  const engine = createEngine({ world, log, signOn, caCertificate: '-----BEGIN CERTIFICATE-----' })
  const control = createControl({ world, log, signOn })

  const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    reply(
      engine(
        new Request(site + path, {
          method,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
      ),
    )
  const as = async (login: string, password = 'secret') => {
    const token = (await ask('POST', '/ovirt-engine/sso/oauth/token', tokenForm(login, password), form)).json
      .access_token
    return (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      ask(method, api + path, body, { authorization: `Bearer ${token}`, ...headers })
  }
  const admin = await as('admin@internal')
  const vm = (name: string) => {
    const found = world.findVm(name)
    if (found === undefined) throw new Error(`no ${name}`)
    return found
  }
  const steer = (method: string, path: string, body?: unknown) =>
    reply(
      control(
        new Request(`http://lab${path}`, {
          method,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      ),
    )
  return { world, host, log, signOn, engine, ask, as, admin, vm, steer }
}

export type Lab = Awaited<ReturnType<typeof anEngine>>

export const form = { 'content-type': 'application/x-www-form-urlencoded' }

export function tokenForm(username: string, password: string): string {
  return new URLSearchParams({
    grant_type: 'password',
    scope: 'ovirt-app-api',
    username,
    password,
  }).toString()
}

/** Lets the world's time pass. */
export async function passes(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

/** The one disk of a VM, as the API shows it. */
export async function diskOf(lab: Lab, name: string): Promise<Json> {
  const id = [...lab.vm(name).attachments.keys()][0]
  return (await lab.admin('GET', `/disks/${id}`)).json
}

/** Takes a snapshot without memory and waits until the VM is free again. */
export async function takeSnapshot(lab: Lab, name: string, body: object = {}): Promise<Json> {
  const path = `/vms/${lab.vm(name).id}/snapshots`
  const taken = await lab.admin('POST', path, { description: 'test', persist_memorystate: 'false', ...body })
  if (taken.status !== 201) throw new Error(taken.text)
  await passes(5000)
  return taken.json
}

async function reply(answer: Promise<Response>): Promise<Reply> {
  const response = await answer
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  }
}
