import { request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { answering } from './child.ts'
import { type Spent, spent } from './spent.ts'

export type ScriptQuestion = { server: string; ca: string } & (
  | { look: { vms: number } }
  | { atOnce: true }
  | { backUp: { from: number; vms: number } }
)

export interface ScriptEnd extends Spent {
  requests: number
  seconds: number
  vms: number
}

interface Json {
  [field: string]: Json & Json[] & string
}

const pollMs = 10_000
const again = 'again'
let requests = 0

// As scripts for oVirt are written: one question for each thing, one VM after the other, and a look every ten seconds.
answering<ScriptQuestion>(async (question) => {
  requests = 0
  const ask = await signOn(question)
  const at = performance.now()
  const vms = await act(ask, question)
  const seconds = (performance.now() - at) / 1000
  return { requests, seconds, vms, ...spent() } satisfies ScriptEnd
})

type Ask = (method: string, path: string, body?: object) => Promise<Json>

async function act(ask: Ask, question: ScriptQuestion): Promise<number> {
  if ('atOnce' in question) {
    const all = await ask('GET', '/vms?follow=disk_attachments.disk,snapshots')
    return all['vm']?.length ?? 0
  }
  const listed = await ask('GET', '/vms')
  const rows = [...(listed['vm'] ?? [])]
  if ('look' in question) {
    const some = rows.slice(0, question.look.vms)
    for (const { id } of some) await lookAt(ask, id)
    return some.length
  }
  const { from, vms } = question.backUp
  const some = rows.slice(from, from + vms)
  for (const { id } of some) await backUp(ask, id)
  return some.length
}

async function lookAt(ask: Ask, id: unknown): Promise<void> {
  await ask('GET', `/vms/${String(id)}`)
  const attached = await ask('GET', `/vms/${String(id)}/diskattachments`)
  for (const one of attached['disk_attachment'] ?? []) await ask('GET', `/disks/${String(one['id'])}`)
  await ask('GET', `/vms/${String(id)}/snapshots`)
}

async function backUp(ask: Ask, id: unknown): Promise<void> {
  await lookAt(ask, id)
  const path = `/vms/${String(id)}/snapshots`
  const taken = await ask('POST', path, { description: 'script', persist_memorystate: 'false' })
  const snapshot = String(taken['id'])
  for (;;) {
    await sleep(pollMs)
    const seen = await ask('GET', `${path}/${snapshot}`)
    if (String(seen['snapshot_status']) === 'ok') break
  }
  await ask('DELETE', `${path}/${snapshot}`)
  for (;;) {
    await sleep(pollMs)
    const left = await ask('GET', path)
    if ((left['snapshot'] ?? []).every((one) => String(one['id']) !== snapshot)) return
  }
}

async function signOn({ server, ca }: { server: string; ca: string }): Promise<Ask> {
  const form = 'grant_type=password&scope=ovirt-app-api&username=admin%40internal&password=secret'
  const told = await send(`${server}/ovirt-engine/sso/oauth/token`, 'POST', ca, form, {
    'content-type': 'application/x-www-form-urlencoded',
  })
  const token = String(told['access_token'])
  return (method, path, body) => {
    requests += 1
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return send(`${server}/ovirt-engine/api${path}`, method, ca, body && JSON.stringify(body), headers)
  }
}

async function send(
  url: string,
  method: string,
  ca: string,
  body: string | undefined,
  headers: Record<string, string>,
): Promise<Json> {
  const answered = Promise.withResolvers<string>()
  const sent = request(url, { method, ca, headers: { accept: 'application/json', ...headers } }, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('error', answered.reject)
    answer.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      if ((answer.statusCode ?? 500) < 300) answered.resolve(text)
      else answered.reject(new Error(`${method} ${url}: ${String(answer.statusCode)} ${text.slice(0, 200)}`))
    })
  })
  sent.on('error', (error) => {
    // A kept connection that the engine has closed meanwhile; Node's manual says to ask again.
    if (sent.reusedSocket) answered.resolve(again)
    else answered.reject(error)
  })
  sent.end(body)
  const text = await answered.promise
  if (text === again) return send(url, method, ca, body, headers)
  return (text === '' ? {} : JSON.parse(text)) as Json
}
