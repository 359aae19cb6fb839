import { backupPlay } from '../backup/play.ts'
import { inspect } from '../backup/preflight.ts'
import type { Asked } from '../cli/asked.ts'
import { renderPlan } from '../cli/render-plan.ts'
import { foundAs } from '../run/recover.ts'
import { rehearse } from '../run/rehearse.ts'
import { exitCodeOf } from '../run/report.ts'
import { scratchDir } from '../run/scratch.ts'
import { createSite, optionsOf } from '../site.ts'
import { prepare } from './prepare.ts'
import type { Terminal } from './terminal.ts'

/** Says what a run would do, and touches nothing; returns the exit code. */
export async function plan(asked: Asked & { kind: 'run' }, terminal: Terminal): Promise<number> {
  const { config, request: base } = await prepare(asked.options, terminal)
  const { env, stdout, stderr, paintOut, paintErr } = terminal
  const request = { ...base, ...asked.pair }
  // Nothing is left of a dry run, not even a state directory.
  using scratch = scratchDir()
  const options = optionsOf(config, terminal.version)
  const site = createSite(config, asked.pair, env, scratch.logDir)
  const play = backupPlay(site, options, asked.pair.primary)
  const found = await rehearse(request, scratch.dir, play, async (rehearsal) => {
    // Before the look: that owes mounts of its own.
    const owed = rehearsal.owed().map((one) => foundAs(one))
    return { ...(await inspect(rehearsal, site, options)), owed }
  })
  await site.hypervisor.close()
  request.signal.throwIfAborted()
  for (const warning of config.warnings) stderr.write(`${paintErr.doubtful(`warning: ${warning}`)}\n`)
  stdout.write(
    asked.options.json
      ? `${JSON.stringify({ version: 1, ...found }, null, 2)}\n`
      : `${renderPlan(found, options, paintOut)}\n`,
  )
  return found.findings.some((finding) => finding.severity === 'error') ? exitCodeOf('refused') : 0
}
