import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replicate } from '../../../src/backup/replicate.ts'
import { readConfig } from '../../../src/config/config.ts'
import type { OpenVolume, Replication } from '../../../src/model/replication.ts'
import { systemClock } from '../../../src/run/clock.ts'
import type { RunEvent } from '../../../src/run/event.ts'
import { Ledger } from '../../../src/run/ledger.ts'
import { runId, runOn } from '../../../src/run/run.ts'
import { optionsOf } from '../../../src/site.ts'

/**
 * The product's own step, with the ledger on disk and every setting that is not needed to find the engine at its default. False when the
 * session had to be started again because Gluster lost its own events.
 */
export async function cycleOfOurs(
  replication: Replication,
  primary: OpenVolume,
  dir: string,
  signal: AbortSignal,
): Promise<boolean> {
  const at = new Date()
  const events: RunEvent[] = []
  using ledger = new Ledger(join(dir, 'ledger.db'), 'data')
  const request = {
    primary: 'data',
    secondary: { host: 'gs1', volume: 'data-dr' },
    stateDir: dir,
    signal,
    clock: systemClock,
    emit: (event: RunEvent) => void events.push(event),
    settleMs: 0,
  }
  const run = runOn(
    request,
    { ledger, assertHeld: () => undefined },
    { id: runId(at), startedAt: at, emit: request.emit },
    signal,
  )
  // The step asks nothing of the engine.
  const site = { replication, hypervisor: undefined as never }
  await replicate(run, site, primary, await defaults(dir))
  return !events.some((event) => event.kind === 'note' && event.again === 'replication')
}

async function defaults(dir: string): Promise<ReturnType<typeof optionsOf>> {
  const file = join(dir, 'backup.cfg')
  const lines = [
    '[connection]',
    'server = https://engine/ovirt-engine/api',
    'user_name = a@internal',
    'password = x',
  ]
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return optionsOf(await readConfig(file, { env: {} }), 'bench')
}
