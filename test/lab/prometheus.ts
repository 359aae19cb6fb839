import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axios from 'axios'
import { execa } from 'execa'
import { until } from '../../src/lab/sites/until.ts'
import { shippedPath } from '../metrics/shipped.ts'

interface Sample {
  metric: Record<string, string>
  value: number
}

interface FiringAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  state: 'pending' | 'firing'
}

export interface Prometheus extends AsyncDisposable {
  query(expr: string): Promise<Sample[]>
  alerts(): Promise<FiringAlert[]>
}

/**
 * A real Prometheus with the configuration and the rules that ship, but for the address, the token's file, and that it scrapes
 * every second. Disposing ends it and removes what it kept.
 */
export async function startPrometheus(target: string, token: string): Promise<Prometheus> {
  const dir = await mkdtemp(join(tmpdir(), 'vmbackup-prometheus-'))
  const shipped = await readFile(shippedPath('prometheus/prometheus.yml'), 'utf8')
  const config = shipped
    .replaceAll('30s', '1s')
    .replace('127.0.0.1:9736', target)
    .replace('/etc/prometheus/vmbackup.token', join(dir, 'token'))
    .replace('vmbackup.rules.yml', shippedPath('prometheus/vmbackup.rules.yml'))
  await writeFile(join(dir, 'prometheus.yml'), config)
  await writeFile(join(dir, 'token'), token, { mode: 0o600 })
  const address = `127.0.0.1:${await freePort()}`
  const process = execa(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
  )
  let ended: string | undefined
  void process.then(({ stderr }) => {
    ended = stderr
  })
  const end = async (): Promise<void> => {
    process.kill('SIGTERM')
    await process
    await rm(dir, { recursive: true, force: true })
  }
  const ask = async (path: string, params: Record<string, string> = {}) =>
    (await axios.get(`http://${address}${path}`, { params, proxy: false, timeout: 5000 })).data
  const isReady = async (): Promise<boolean> => {
    if (ended !== undefined) throw new Error(`prometheus ended: ${ended}`)
    return ask('/-/ready').then(
      () => true,
      () => false,
    )
  }
  try {
    await until('Prometheus to be ready', 20_000, isReady, 100)
  } catch (error) {
    await end()
    throw error
  }
  return {
    async query(expr) {
      const answer: { data: { result: { metric: Sample['metric']; value: [number, string] }[] } } = await ask(
        '/api/v1/query',
        { query: expr },
      )
      return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    },
    alerts: async () => (await ask('/api/v1/alerts')).data.alerts,
    [Symbol.asyncDispose]: end,
  }
}

/** Prometheus does not tell which port it got for 0. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  await new Promise((closed) => server.close(closed))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
