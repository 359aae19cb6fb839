import { createHmac, timingSafeEqual } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RouteConfig } from '../../src/config/keys.ts'
import { Secret } from '../../src/config/secret.ts'
import { NotSent } from '../../src/notify/channel.ts'
import { compose, type Message } from '../../src/notify/compose.ts'
import { createWebhook } from '../../src/notify/webhook.ts'
import { aFolder } from '../run/a-folder.ts'
import { aReceiver, type Post } from './a-receiver.ts'
import { anAlert, aRoute } from './an-alert.ts'

const noSignal = new AbortController().signal
const now = Date.parse('2026-11-21T12:00:00Z')

/** As a receiver would check it, by the description alone. */
function isGenuine({ headers, body }: Post, secret: string, at = now): boolean {
  const [, time = '', given = ''] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-vmbackup-signature'])) ?? []
  const own = createHmac('sha256', secret).update(`${time}.${body}`).digest()
  const isFresh = Math.abs(at / 1000 - Number(time)) < 300
  return isFresh && given !== '' && timingSafeEqual(own, Buffer.from(given, 'hex'))
}

function someMessages(count = 1, foldAbove = 1): Message[] {
  const parts = Array.from({ length: count }, (_, seq) => ({
    seq,
    letter: anAlert({ job: 'data', title: `run ${seq} failed` }),
    takenAt: 0,
    refusals: 0,
  }))
  return compose('webhook ops', parts, [], foldAbove).messages
}

async function post(
  changes: Partial<RouteConfig>,
  [message] = someMessages(),
  timeoutMs = 10_000,
): Promise<unknown> {
  const channel = createWebhook([aRoute('ops', changes)], { now: () => now }, timeoutMs)
  if (message === undefined) throw new Error('no message')
  return channel(message, { route: 'ops', channel: 'webhook' }, noSignal).catch((error: unknown) => error)
}

describe('a webhook', () => {
  test('gets JSON that only we can have signed, with a key by which it knows what it has already', async () => {
    const { posts, webhook } = await aReceiver()
    const messages = someMessages()
    const secret = new Secret('between us')
    expect(await post({ webhook, webhookSecret: secret }, messages)).toBeUndefined()
    expect(await post({ webhook, webhookSecret: secret }, messages)).toBeUndefined()
    const [first, second] = posts
    if (first === undefined) throw new Error('nothing was posted')
    expect(isGenuine(first, 'between us')).toBe(true)
    expect(isGenuine(first, 'guessed')).toBe(false)
    expect(isGenuine({ ...first, body: first.body.replace('failed', 'went well') }, 'between us')).toBe(false)
    expect(isGenuine(first, 'between us', now + 600_000)).toBe(false)
    expect(JSON.parse(first.body)).toMatchObject({
      version: 1,
      id: first.headers['idempotency-key'],
      route: 'ops',
      kind: 'run not protected',
      severity: 'alert',
      at: '2026-11-21T11:59:00.000Z',
      title: 'run 0 failed',
      count: 1,
      alerts: [{ job: 'data', title: 'run 0 failed', at: '2026-11-21T11:59:00.000Z' }],
    })
    expect(second?.headers['idempotency-key']).toBe(first.headers['idempotency-key'])
    expect(second?.body).toBe(first.body)
  })

  test('gets of a storm the count and twenty of its alerts', async () => {
    const { posts, webhook } = await aReceiver()
    await post({ webhook }, someMessages(30))
    const body: unknown = JSON.parse(posts[0]?.body ?? '')
    expect(body).toMatchObject({ kind: 'folded', count: 30, title: '30 messages: 30 run not protected' })
    expect((body as { alerts: unknown[] }).alerts).toHaveLength(20)
    expect(posts[0]?.headers['x-vmbackup-signature']).toBeUndefined()
  })

  test('is signed with a secret that is read anew each time', async () => {
    const { posts, webhook } = await aReceiver()
    const webhookSecretFile = join(aFolder(), 'secret')
    for (const secret of ['first', 'second']) {
      writeFileSync(webhookSecretFile, `${secret}\n`)
      await post({ webhook, webhookSecretFile })
    }
    expect(posts.map((one) => [isGenuine(one, 'first'), isGenuine(one, 'second')])).toEqual([
      [true, false],
      [false, true],
    ])
  })

  test('is not posted to without the secret that is configured', async () => {
    const { posts, webhook } = await aReceiver()
    const error = await post({ webhook, webhookSecretFile: join(aFolder(), 'none') })
    expect(error).toMatchObject({ certain: true, final: false })
    expect(posts).toEqual([])
  })

  test.each<[number, Partial<NotSent>]>([
    [400, { final: true }],
    [404, { final: true }],
    [410, { final: true }],
    [408, { final: false, certain: true }],
    [425, { final: false, certain: true }],
    [429, { final: false, certain: true }],
    [500, { final: false, certain: false }],
    [503, { final: false, certain: true }],
    [504, { final: false, certain: false }],
  ])('that answers %i', async (status, expected) => {
    const { webhook } = await aReceiver((response) => response.writeHead(status).end())
    const error = await post({ webhook })
    expect(error).toBeInstanceOf(NotSent)
    expect(error).toMatchObject({ ...expected, answered: true })
    expect(String(error)).toContain(`HTTP ${status}`)
    expect(String(error)).not.toContain('token-of-ours')
  })

  test.each([200, 201, 202, 204, 299])('that answers %i has it', async (status) => {
    const { webhook } = await aReceiver((response) => response.writeHead(status).end())
    expect(await post({ webhook })).toBeUndefined()
  })

  test('is not followed to where it sends us on', async () => {
    const other = await aReceiver()
    const { webhook } = await aReceiver((response) =>
      response.writeHead(307, { location: other.webhook }).end(),
    )
    expect(await post({ webhook })).toMatchObject({
      final: false,
      hint: expect.stringContaining('write that one'),
    })
    expect(other.posts).toEqual([])
  })

  test('that takes it and talks without end has it', async () => {
    const { webhook } = await aReceiver((response) => {
      response.write('x'.repeat(100_000))
    })
    expect(await post({ webhook })).toBeUndefined()
  })

  test('that takes it and says nothing may have it', async () => {
    const { webhook } = await aReceiver(() => undefined)
    expect(await post({ webhook }, someMessages(), 200)).toMatchObject({ certain: false, answered: false })
  })

  test('that drops the line in the middle may have it', async () => {
    const { webhook } = await aReceiver((response) => response.destroy())
    expect(await post({ webhook })).toMatchObject({ certain: false, answered: false })
  })

  test('that is down has it surely not', async () => {
    const { webhook, server } = await aReceiver()
    await new Promise((done) => server.close(done))
    const error = await post({ webhook })
    expect(error).toMatchObject({ certain: true, answered: false })
    expect(String(error)).toMatch(/ECONNREFUSED/)
    expect(String(error)).not.toContain('token-of-ours')
  })
})
