import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { LabClient } from '../../src/lab/client.ts'
import type { Report } from '../../src/run/report.ts'

const launcher = join(import.meta.dirname, '../../scripts/lab')

/** Brings a lab of its own up for a test file; disposing takes it down. */
export async function labFor(name: string, ...options: string[]): Promise<LabClient & AsyncDisposable> {
  await execa(launcher, ['up', '--name', name, ...options])
  const lab = await LabClient.of(name)
  return Object.assign(lab, {
    async [Symbol.asyncDispose]() {
      await execa(launcher, ['down', '--name', name])
    },
  })
}

/** A copy of the lab's configuration with lines replaced or added; returns its path. */
export async function configWith(lab: LabClient, change: (text: string) => string): Promise<string> {
  const file = join(lab.status.dir, `backup-${Math.random().toString(36).slice(2)}.cfg`)
  await writeFile(file, change(await readFile(lab.status.config, 'utf8')), { mode: 0o600 })
  return file
}

export interface Ended {
  exitCode: number | null
  report: Report
  stderr: string
}

/** Runs the real command line with --json; `at` may end it by SIGTERM when a step begins. */
export async function runAgent(argv: readonly string[], at?: { step: string }): Promise<Ended> {
  const [file = '', ...args] = argv
  const child = spawn(file, [...args, '--json', '--verbose'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  let signalled = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    const begun = at !== undefined && new RegExp(`step began\\s+step: "${at.step}"`).test(stderr)
    if (begun && !signalled) {
      signalled = true
      child.kill('SIGTERM')
    }
  })
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve))
  if (at !== undefined && !signalled) throw new Error(`step ${at.step} was never seen to begin:\n${stderr}`)
  return { exitCode, report: JSON.parse(stdout) as Report, stderr }
}

/** Lines that `gluster` logged on the primary: every command that anybody ran there. */
export async function glusterHistory(lab: LabClient): Promise<string[]> {
  const text = await lab.run('gp1', 'sh', '-c', 'cat /var/log/glusterfs/cmd_history.log')
  return text.split('\n').filter((line) => line !== '')
}
