import { backupPlay } from '../backup/play.ts'
import type { Asked } from '../cli/asked.ts'
import { renderReport } from '../cli/render-report.ts'
import { perform } from '../run/perform.ts'
import { exitCodeOf } from '../run/report.ts'
import { createSite, optionsOf } from '../site.ts'
import { listenersFor } from './listeners.ts'
import { logDirIn, prepare } from './prepare.ts'
import type { Terminal } from './terminal.ts'

/** Makes one recovery point; returns the exit code. */
export async function run({ pair, options }: Asked & { kind: 'run' }, terminal: Terminal): Promise<number> {
  const { config, request } = await prepare(options, terminal)
  const { env, stdout, paintOut, version } = terminal
  const site = createSite(config, pair, env, logDirIn(config.state.dir))
  const play = backupPlay(site, optionsOf(config, version), pair.primary)
  const { emit, end } = await listenersFor(config, options.verbosity, terminal)
  const report = await perform({ ...request, ...pair, emit }, play)
  end()
  await site.hypervisor.close()
  stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${renderReport(report, paintOut)}\n`)
  return exitCodeOf(report.outcome)
}
