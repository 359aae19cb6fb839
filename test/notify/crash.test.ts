import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { Alert } from '../../src/model/alert.ts'
import { createNotifier, type NotifierOptions } from '../../src/notify/notifier.ts'
import { systemClock } from '../../src/run/clock.ts'
import { aFolder } from '../run/a-folder.ts'
import { quietStatus } from '../support/quiet-status.ts'
import { aMailServer } from './a-mail-server.ts'
import { aReceiver } from './a-receiver.ts'
import { anAlert, aRoute } from './an-alert.ts'

type Configured = NotifierOptions['config']

const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
const killer = new URL('../crash/kill-at-write.ts', import.meta.url).href

/** An agent that tells one alert and sends it: a process of its own. */
function anAgent(config: Configured, file: string, alert: Alert, crashAt = ''): ChildProcess {
  const code = `
    import { createNotifier } from ${source('notify/notifier.ts')}
    import { systemClock as clock } from ${source('run/clock.ts')}
    const announce = async () => {}
    const notifier = createNotifier({ config: ${JSON.stringify(config)}, file: ${JSON.stringify(file)}, clock, announce })
    notifier.tell(${JSON.stringify(alert)})
    const stop = new AbortController()
    setInterval(() => notifier.counts().waiting === 0 && stop.abort(), 20).unref()
    await notifier.work(stop.signal)`
  const args = ['--import', killer, '--input-type=module', '-e', code]
  return spawn(process.execPath, args, { env: { ...process.env, CRASH_AT: crashAt }, stdio: 'ignore' })
}

/** What the next start does: the agent tells again what it still finds, and sends what is open. */
async function startAgain(config: Configured, file: string, alert: Alert): Promise<void> {
  const digest = () => ({ status: quietStatus, runs: [] })
  using notifier = createNotifier({
    config,
    file,
    clock: systemClock,
    announce: async () => undefined,
    digest,
  })
  notifier.tell(alert)
  const stop = new AbortController()
  const worked = notifier.work(stop.signal)
  await vi.waitFor(() => expect(notifier.counts()).toMatchObject({ waiting: 0, failing: 0 }), {
    timeout: 20_000,
    interval: 5,
  })
  stop.abort()
  await worked
}

function configOf(changes: object): Configured {
  return { jobs: [], daemon: { foldAbove: 5 }, mail: {}, routes: [], ...changes } as unknown as Configured
}

describe('an agent that is killed', () => {
  test('at any write of its outbox has each alert arrive; twice only when killed after the yes, and then with the same key', async () => {
    const arrived = new Map<string, number>()
    for (let write = 1; ; write += 1) {
      const { posts, webhook } = await aReceiver()
      const config = configOf({ routes: [aRoute('ops', { webhook })] })
      const [file, alert] = [join(aFolder(), 'agent.db'), anAlert()]
      const agent = anAgent(config, file, alert, `before:${write}`)
      const [, signal] = (await once(agent, 'exit')) as [number | null, string | null]
      const first = posts.length
      await startAgain(config, file, alert)
      expect(new Set(posts.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
      expect(new Set(posts.map(({ body }) => body)).size).toBe(1)
      if (signal === null) break
      expect(signal).toBe('SIGKILL')
      arrived.set(`write ${write}: ${first} before`, posts.length)
    }
    const counts = [...arrived.values()]
    expect(counts.filter((count) => count === 1).length).toBeGreaterThanOrEqual(2)
    // Those between the receiver's yes and our note of it.
    expect(counts.filter((count) => count === 2).length).toBeGreaterThanOrEqual(1)
    expect(Math.max(...counts)).toBe(2)
    for (const [when, count] of arrived) expect(count, when).toBe(when.endsWith('0 before') ? 1 : 2)
  }, 180_000)

  test('while the mail server has the mail and has not said yes sends it again under the same Message-ID', async () => {
    const mails: string[] = []
    let agent: ChildProcess | undefined
    const { endpoint: server } = await aMailServer({
      onData(stream, _session, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          mails.push(Buffer.concat(chunks).toString())
          if (mails.length === 1) agent?.kill('SIGKILL')
          else done()
        })
      },
    })
    const mail = { server, tls: 'none', from: 'agent@example.com' }
    const config = configOf({ mail, routes: [aRoute('ops', { mail: ['ops@example.com'] })] })
    const [file, alert] = [join(aFolder(), 'agent.db'), anAlert()]
    agent = anAgent(config, file, alert)
    await once(agent, 'exit')
    await startAgain(config, file, alert)
    const ids = mails.map((text) => /^Message-ID: (.*)$/m.exec(text)?.[1])
    expect(ids).toHaveLength(2)
    expect(ids[0]).toMatch(/^<vmbackup\.[0-9a-f]{32}@example\.com>/)
    expect(ids[1]).toBe(ids[0])
  }, 60_000)
})
