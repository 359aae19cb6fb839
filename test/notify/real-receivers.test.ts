import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Secret } from '../../src/config/secret.ts'
import { Unknown } from '../../src/model/errors.ts'
import type { Announcement } from '../../src/model/hypervisor.ts'
import type { Means } from '../../src/notify/channels.ts'
import { createNotifier, type NotifierOptions } from '../../src/notify/notifier.ts'
import { keyOf } from '../../src/notify/routing.ts'
import { sendTest } from '../../src/notify/send-test.ts'
import { aFolder } from '../run/a-folder.ts'
import { quietStatus } from '../support/quiet-status.ts'
import { HeldClock } from './a-clock.ts'
import { aCertificate, aMailServer } from './a-mail-server.ts'
import { aReceiver } from './a-receiver.ts'
import { anAlert, aRoute } from './an-alert.ts'

const noSignal = new AbortController().signal

function configOf(changes: object): NotifierOptions['config'] {
  const nothing = { jobs: [], routes: [], mail: {}, daemon: { foldAbove: 5 } }
  return { ...nothing, ...changes } as unknown as NotifierOptions['config']
}

/** Sends and receives in real time; what is due is by the clock held. */
const until = (fact: () => void | Promise<void>) => vi.waitFor(fact, { timeout: 20_000, interval: 5 })

describe('alerts to a mail server, a webhook and the engine', () => {
  test('arrive, also when the mail server is down at first', async () => {
    const tls = aCertificate(aFolder())
    const users = { agent: 'secret' }
    const before = await aMailServer({ tls, users })
    await before.close()
    const hook = await aReceiver()
    const posted: Announcement[] = []
    const config = configOf({
      mail: {
        server: before.endpoint,
        tls: 'starttls',
        caFile: tls.cert,
        from: 'agent@example.com',
        userName: 'agent',
        password: new Secret('secret'),
      },
      routes: [
        aRoute('ops', { mail: ['ops@example.com', 'boss@example.com'] }),
        aRoute('chat', { webhook: hook.webhook, engine: true }),
      ],
    })
    const clock = new HeldClock()
    using notifier = createNotifier({
      config,
      clock,
      file: `${aFolder()}/agent.db`,
      announce: async (announcement) => void posted.push(announcement),
      digest: () => ({ status: quietStatus, runs: [] }),
    })
    const stop = new AbortController()
    const worked = notifier.work(stop.signal)
    onTestFinished(() => stop.abort())
    notifier.tell(anAlert({ matter: 'rpo web', kind: 'rpo breach', title: 'web is behind' }))
    await until(() => expect(notifier.counts()).toEqual({ waiting: 2, failing: 2, givenUp: 0 }))
    expect(hook.posts).toHaveLength(1)
    expect(posted).toHaveLength(1)
    // A try takes as long as it takes, so minutes are let pass until it is there.
    await until(async () => {
      await clock.pass(60_000)
      expect(hook.posts.at(-1)?.body).toContain('route ops cannot be told by mail')
    })
    expect(notifier.troubles()).toMatchObject([{ matter: 'mail ops' }])
    const after = await aMailServer({ tls, users, port: before.endpoint.port })
    notifier.tell(
      anAlert({ matter: 'rpo web', kind: 'rpo clear', severity: 'normal', title: 'web is in time' }),
    )
    await until(async () => {
      await clock.pass(60_000)
      expect(notifier.counts()).toEqual({ waiting: 0, failing: 0, givenUp: 0 })
    })
    expect(after.received.map(({ to }) => to).toSorted()).toEqual([['boss@example.com'], ['ops@example.com']])
    for (const { text, secure, user } of after.received) {
      expect({ secure, user }).toEqual({ secure: true, user: 'agent' })
      expect(text).toContain('Subject: [vmbackup] web is in time\n')
      expect(text).toContain('ALERT: web is behind')
    }
    expect(hook.posts.at(-1)?.body).toContain('route ops is told by mail again')
    stop.abort()
    await worked
  }, 60_000)

  test('that are under way when the agent is told to end are let through', async () => {
    const answers: (() => void)[] = []
    const hook = await aReceiver((response) => void answers.push(() => response.end()))
    const config = configOf({ routes: [aRoute('chat', { webhook: hook.webhook })] })
    const clock = new HeldClock()
    const digest = () => ({ status: quietStatus, runs: [] })
    const file = `${aFolder()}/agent.db`
    using notifier = createNotifier({ config, clock, file, announce: async () => undefined, digest })
    const stop = new AbortController()
    const worked = notifier.work(stop.signal)
    notifier.tell(anAlert())
    await until(() => expect(answers).toHaveLength(1))
    stop.abort()
    answers[0]?.()
    await worked
    expect(notifier.counts().waiting).toBe(0)
  })
})

describe('a test message', () => {
  test('goes to every receiver of the routes at once, and it is said of each how it went', async () => {
    const hook = await aReceiver()
    const gone = await aReceiver((response) => response.writeHead(404).end())
    const { endpoint: server, received } = await aMailServer()
    const posted: Announcement[] = []
    const means: Means = {
      config: configOf({
        mail: { server, tls: 'none', from: 'agent@example.com' },
        routes: [
          aRoute('ops', { severity: 'none', mail: ['ops@example.com'], webhook: hook.webhook, engine: true }),
          aRoute('old', { webhook: gone.webhook }),
        ],
      }),
      clock: new HeldClock(),
      announce: async (announcement) => void posted.push(announcement),
    }
    const results = await sendTest(means, undefined, noSignal)
    expect(results.map(({ receiver, why }) => [keyOf(receiver), why?.replace(/\d{4,}/, 'PORT')])).toEqual([
      ['mail ops ops@example.com', undefined],
      ['webhook ops', undefined],
      ['engine ops', undefined],
      ['webhook old', 'could not post to 127.0.0.1:PORT (route old): HTTP 404'],
    ])
    expect(received[0]?.text).toContain('Nothing is wrong.')
    expect(hook.posts).toHaveLength(1)
    expect(posted).toHaveLength(1)
    expect(await sendTest(means, 'old', noSignal)).toHaveLength(1)
    await expect(sendTest(means, 'none', noSignal)).rejects.toThrow(Unknown)
  })
})
