import type { Asked, AskedFor } from '../cli/asked.ts'
import type { Terminal } from './terminal.ts'

type Command<K extends Asked['kind']> = (asked: AskedFor<K>, terminal: Terminal) => Promise<number>

// Each is loaded when it is asked for: who looks at a list of runs need not wait for an HTTP server to be read.
const commands: { [K in Asked['kind']]: () => Promise<Command<K>> } = {
  say: async () => say,
  run: async () => runOrPlan,
  recover: async () => (await import('./recover.ts')).recover,
  points: async () => (await import('./points.ts')).points,
  verify: async () => (await import('./points.ts')).verify,
  daemon: async () => (await import('./daemon.ts')).daemon,
  'run job': async () => (await import('./run-job.ts')).runJob,
  status: async () => (await import('./status.ts')).status,
  jobs: async () => (await import('./jobs.ts')).jobs,
  'job act': async () => (await import('./jobs.ts')).actOnJob,
  vms: async () => (await import('./vms.ts')).vms,
  protect: async () => (await import('./vms.ts')).protect,
  unprotect: async () => (await import('./vms.ts')).unprotect,
  runs: async () => (await import('./history.ts')).runs,
  report: async () => (await import('./history.ts')).report,
  'known points': async () => (await import('./history.ts')).knownPoints,
  'config check': async () => (await import('./check-config.ts')).checkConfig,
  'alert test': async () => (await import('./alert-test.ts')).alertTest,
  token: async () => (await import('./token.ts')).token,
}

/** Does what was asked for; returns the exit code. */
export async function carryOut<K extends Asked['kind']>(
  asked: AskedFor<K>,
  terminal: Terminal,
): Promise<number> {
  const command: Command<K> = await commands[asked.kind as K]()
  return command(asked, terminal)
}

/** With --dry-run nothing is touched. */
async function runOrPlan(asked: AskedFor<'run'>, terminal: Terminal): Promise<number> {
  if (asked.dryRun) return (await import('./plan.ts')).plan(asked, terminal)
  return (await import('./run.ts')).run(asked, terminal)
}

async function say({ text }: AskedFor<'say'>, { stdout }: Terminal): Promise<number> {
  stdout.write(text)
  return 0
}
