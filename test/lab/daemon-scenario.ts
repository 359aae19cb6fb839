// Some minutes in the life of the real daemon, inside a node of a lab: asked by curl, scraped by a real Prometheus, heard by a real
// mail server, looked at in a real terminal, killed in the middle of a run and started again. Prints what was seen as one JSON
// document; judges nothing. Usage: daemon-scenario.ts CONFIG MINUTES

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { SMTPServer } from 'smtp-server'
import type { RunSummary, StatusView } from '../../src/agent/view.ts'
import { openClient } from '../../src/api/client.ts'
import { readConfig } from '../../src/config/config.ts'
import { until } from '../../src/lab/sites/until.ts'
import { mailPort } from './daemon-config.ts'
import { startPrometheus } from './prometheus.ts'

const [file = '', minutes = '4'] = process.argv.slice(2)
const vmbackup = join(import.meta.dirname, '../../scripts/vmbackup')
const config = await readConfig(file, { env: process.env })
const { socket, listen } = config.api
const base = `http://127.0.0.1:${listen?.port}`
const client = openClient(socket)
const end = Date.now() + Number(minutes) * 60_000

/** Everything that was seen. */
export interface Seen {
  curl: { what: string; status: number }[]
  mails: string[]
  screen: string
  /** Of each job, when Prometheus had scraped its first recovery point, and at the end. */
  metrics: { first: Record<string, number>; last: Record<string, number> }
  alerts: string[]
  runs: RunSummary[]
  status: StatusView
  /** The step in which the daemon was killed, and the runs that have ended since. */
  killed: { step: string | undefined; at: string }
  exitCode: number | null
}

const mails: string[] = []
const mailServer = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  onData(stream, _session, done) {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      mails.push(Buffer.concat(chunks).toString())
      done()
    })
  },
})

const words = ['-c', file]
const start = (): ChildProcess =>
  spawn(vmbackup, ['daemon', ...words], { stdio: ['ignore', 'ignore', 'inherit'] })
const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done(child.exitCode)
    else child.once('exit', (code) => done(code))
  })
const status = (): Promise<StatusView | undefined> => client.status().catch(() => undefined)
const token = (name: string, rights: string): string =>
  execFileSync(vmbackup, ['token', 'add', name, '--rights', rights, ...words], { encoding: 'utf8' })
    .match(/vmb_\S+/)
    ?.at(0) ?? ''

async function curl(what: string, path: string, ...options: string[]) {
  const argv = ['-s', '-o', '/dev/null', '-w', '%{http_code}', ...options, `${base}${path}`]
  return { what, status: Number((await execa('curl', argv)).stdout) }
}

async function askByCurl(read: string, operate: string): Promise<Seen['curl']> {
  const bearer = (text: string): string[] => ['-H', `Authorization: Bearer ${text}`]
  const act = ['-X', 'POST']
  return [
    await curl('health without a token', '/api/v1/health'),
    await curl('status without a token', '/api/v1/status'),
    await curl('status with a wrong token', '/api/v1/status', ...bearer('vmb_wrong')),
    await curl('status with a read token', '/api/v1/status', ...bearer(read)),
    await curl('pause with a read token', '/api/v1/jobs/both/pause', ...act, ...bearer(read)),
    await curl('pause with an operate token', '/api/v1/jobs/both/pause', ...act, ...bearer(operate)),
    await curl('resume with an operate token', '/api/v1/jobs/both/resume', ...act, ...bearer(operate)),
    await curl('a job that there is not', '/api/v1/jobs/nothing/start', ...act, ...bearer(operate)),
    await curl('metrics with a read token', '/metrics', ...bearer(read)),
  ]
}

/** The live view, as a terminal of its own shows it while a run goes on. */
async function lookAtScreen(): Promise<string> {
  const tmux = (...argv: string[]) => execa('tmux', ['-S', join(dirname(socket), 'tmux'), ...argv])
  await tmux('new-session', '-d', '-x', '120', '-y', '40', vmbackup, 'status', ...words)
  try {
    return await until(
      'the running step on the screen',
      60_000,
      async () => {
        const { stdout } = await tmux('capture-pane', '-p')
        return /replicate|preflight|snapshot/.test(stdout) ? stdout : undefined
      },
      500,
    )
  } finally {
    await tmux('kill-server').catch(() => undefined)
  }
}

const hasRun = (seen: StatusView | undefined, since: string): boolean =>
  seen?.jobs.every(({ lastSuccess }) => lastSuccess !== undefined && lastSuccess > since) === true
const provedTimes = async (prometheus: Awaited<ReturnType<typeof startPrometheus>>) =>
  Object.fromEntries(
    (await prometheus.query('vmbackup_job_oldest_proved_point_timestamp_seconds')).map(
      ({ metric, value }) => [metric['job_name'] ?? '', value],
    ),
  )
const patienceMs = 15 * 60_000

await new Promise<void>((listening) => mailServer.listen(mailPort, '127.0.0.1', listening))
const [read, operate] = [token('prometheus', 'read'), token('operator', 'operate')]
let daemon = start()
try {
  await until('the daemon to answer', 60_000, status)
  await using prometheus = await startPrometheus(`127.0.0.1:${listen?.port}`, read)
  const answers = await askByCurl(read, operate)
  const running = await until('a run', 120_000, async () => (await status())?.running[0]?.step)
  const screen = running && (await lookAtScreen())
  await until('a point of every job', patienceMs, async () => hasRun(await status(), ''), 1_000)
  const first = await until('a scrape', 60_000, async () => {
    const times = await provedTimes(prometheus)
    return Object.keys(times).length === config.jobs.length ? times : undefined
  })
  const step = await until('a run that replicates', patienceMs, async () =>
    (await status())?.running.map((one) => one.step).find((one) => one === 'replicate'),
  )
  daemon.kill('SIGKILL')
  await ended(daemon)
  const at = new Date().toISOString()
  daemon = start()
  await until('the daemon to answer again', 60_000, status)
  await until('a new point of every job', patienceMs, async () => hasRun(await status(), at), 1_000)
  await until('the end of the time', patienceMs, async () => Date.now() > end, 1_000)
  // Runs at short intervals may never leave a gap by themselves.
  for (const { name } of config.jobs) await client.pause(name)
  await until('the runs to end', patienceMs, async () => (await status())?.running.length === 0, 1_000)
  const last = await provedTimes(prometheus)
  const alerts = (await prometheus.alerts()).map(({ labels, state }) => `${labels['alertname']} ${state}`)
  const known = await until('the agent', 10_000, status)
  const runs = await client.runs({ limit: 100 })
  daemon.kill('SIGTERM')
  const exitCode = await ended(daemon)
  const seen: Seen = {
    curl: answers,
    mails,
    screen,
    metrics: { first, last },
    alerts,
    runs,
    status: known,
    killed: { step, at },
    exitCode,
  }
  process.stdout.write(`${JSON.stringify(seen)}\n`)
} finally {
  daemon.kill('SIGTERM')
  await ended(daemon)
  mailServer.close()
}
