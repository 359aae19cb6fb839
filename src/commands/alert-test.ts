import type { AskedFor } from '../cli/asked.ts'
import { table } from '../cli/table.ts'
import { UsageError } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import { keyOf } from '../notify/routing.ts'
import { sendTest } from '../notify/send-test.ts'
import { systemClock } from '../run/clock.ts'
import { withEngine } from '../site.ts'
import { settingsFor } from './prepare.ts'
import { print } from './reach.ts'
import type { Terminal } from './terminal.ts'

const longestMs = 60_000

/** Sends a test message to everybody of a route, or of all; returns the exit code: 0 when all took it. Throws UsageError, Unknown. */
export async function alertTest(
  { route, options }: AskedFor<'alert test'>,
  terminal: Terminal,
): Promise<number> {
  const config = await settingsFor(options, terminal)
  if (config.routes.length === 0) {
    throw new UsageError(`${config.file} has no route: nobody is told of anything`, {
      hint: 'write one: [route ops] with mail, webhook or engine; backup.cfg.example explains them',
    })
  }
  const signal = AbortSignal.any([terminal.signal(), AbortSignal.timeout(longestMs)])
  const results = await withEngine(config, terminal.env, (hypervisor) => {
    const announce = hypervisor.announce.bind(hypervisor)
    return sendTest({ config, clock: systemClock, announce }, route, signal)
  })
  const rows = results.map(({ receiver, why, hint }) => {
    const words = [why, hint].filter((text) => text !== undefined).join('; ')
    return [keyOf(receiver), why === undefined ? 'sent' : 'not sent', oneLine(words, 300)]
  })
  print(terminal, options.json, { version: 1, results }, () => table(['RECEIVER', 'STATE', 'REASON'], rows))
  return results.every(({ why }) => why === undefined) ? 0 : 1
}
