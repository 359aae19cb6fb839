import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { onTestFinished } from 'vitest'
import { serveApi } from '../../src/api/server.ts'
import { parseArgs } from '../../src/cli/args.ts'
import { paintFor } from '../../src/cli/paint.ts'
import { carryOut } from '../../src/commands/carry-out.ts'
import type { Terminal } from '../../src/commands/terminal.ts'
import { type FakeAgent, fakeAgent } from '../api/fake-agent.ts'
import { aFolder } from '../run/a-folder.ts'

/** A terminal that keeps what is printed. */
export function aTerminal(
  signal = new AbortController().signal,
  { isTTY = false, columns = 100, rows = 30 } = {},
) {
  const said = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => {
    const one = Object.assign(new PassThrough(), { isTTY, columns, rows })
    one.on('data', (chunk: Buffer) => (said[name] += chunk.toString()))
    // The parts of a terminal that are used here.
    return one as unknown as NodeJS.WriteStream
  }
  const paint = paintFor({}, {})
  const terminal: Terminal = {
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    paintOut: paint,
    paintErr: paint,
    env: {},
    version: '1.2.3',
    signal: () => signal,
  }
  return { terminal, said }
}

/** A folder with a configuration of one job, and a command line that reads it. */
export function aSite({
  jobs = '[job nightly]\npairs = data dr1.example.com copy\nrpo = 4h\n',
  more = '',
  server = 'https://engine.example.com',
  password = 'sesame',
} = {}) {
  const dir = aFolder()
  const stateDir = join(dir, 'state')
  const socket = join(dir, 'api.sock')
  const config = join(dir, 'backup.cfg')
  mkdirSync(stateDir)
  writeFileSync(
    config,
    `[connection]\nserver = ${server}/ovirt-engine/api\nuser_name = admin@internal\npassword = ${password}\n` +
      `[state]\ndir = ${stateDir}\n[api]\nsocket = ${socket}\n${more}${jobs}`,
    { mode: 0o600 },
  )
  return {
    dir,
    stateDir,
    config,
    socket,
    /** The exit code and what was printed; throws what the command throws. */
    async vmbackup(words: string, signal?: AbortSignal) {
      const { terminal, said } = aTerminal(signal)
      const code = await carryOut(parseArgs([...words.split(' '), '-c', config], '1.2.3'), terminal)
      return { code, ...said }
    },
  }
}

export type ASite = ReturnType<typeof aSite>

/** The same with an agent in memory that answers on the socket until the test is done, or `end` is called. */
export async function aSiteWithAgent(): Promise<ASite & { agent: FakeAgent; end(): Promise<void> }> {
  const site = aSite()
  const agent = fakeAgent()
  const serving = await serveApi(agent, {
    api: { socket: site.socket, openMetrics: false },
    stateDir: site.stateDir,
    version: '1.2.3',
    isAlive: () => true,
    onError: () => undefined,
  })
  const end = async (): Promise<void> => serving[Symbol.asyncDispose]()
  onTestFinished(end)
  return { ...site, agent, end }
}
