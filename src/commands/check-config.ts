import type { AskedFor } from '../cli/asked.ts'
import { describeConfig } from '../config/config.ts'
import { settingsFor } from './prepare.ts'
import { print } from './reach.ts'
import type { Terminal } from './terminal.ts'

/** Says what the configuration comes to, without secrets; returns the exit code. Throws UsageError with all that is wrong. */
export async function checkConfig(
  { options }: AskedFor<'config check'>,
  terminal: Terminal,
): Promise<number> {
  const config = await settingsFor(options, terminal)
  const { file, warnings } = config
  for (const warning of warnings) {
    terminal.stderr.write(`${terminal.paintErr.doubtful(`warning: ${warning}`)}\n`)
  }
  const text = describeConfig(config)
  print(terminal, options.json, { version: 1, file, warnings, effective: text }, () => text.trimEnd())
  return 0
}
