import { backupPlay } from '../backup/play.ts'
import type { Asked } from '../cli/args.ts'
import { parseTarget, type Target } from '../cli/common-args.ts'
import { renderRecovery } from '../cli/render-recovery.ts'
import { UsageError } from '../model/errors.ts'
import type { Emit } from '../run/event.ts'
import type { Pair } from '../run/pair.ts'
import {
  exitCodeOfRecovery,
  owedFor,
  type PairRecovery,
  pairsOwing,
  recover as recoverPair,
} from '../run/recover.ts'
import { createSite, optionsOf } from '../site.ts'
import { listenersFor } from './listeners.ts'
import { logDirIn, pairOf, prepare } from './prepare.ts'
import type { Terminal } from './terminal.ts'

/** Settles what earlier runs owe, or lists it; returns the exit code. */
export async function recover(asked: Asked & { kind: 'recover' }, terminal: Terminal): Promise<number> {
  const { config, request } = await prepare(asked.options, terminal)
  const { stdout, paintOut, env, version } = terminal
  const targets = asked.target === undefined ? pairsOwing(request.stateDir, targetIn) : [asked.target]

  async function settle(target: Target, emit: Emit): Promise<PairRecovery> {
    const site = createSite(config, target, env, logDirIn(config.state.dir))
    const play = backupPlay(site, optionsOf(config, version), target.primaryVolume)
    try {
      return await recoverPair({ ...request, ...pairOf(target), emit }, play, asked.waive)
    } finally {
      await site.hypervisor.close()
    }
  }

  const pairs: PairRecovery[] = []
  if (asked.dryRun) {
    for (const target of targets) pairs.push(owedFor({ ...request, ...pairOf(target) }))
  } else {
    const { emit, end } = listenersFor(config, asked.options.verbosity, terminal)
    for (const target of targets) pairs.push(await settle(target, emit))
    end()
  }
  stdout.write(
    asked.options.json
      ? `${JSON.stringify({ version: 1, pairs }, null, 2)}\n`
      : `${renderRecovery(pairs, paintOut)}\n`,
  )
  return exitCodeOfRecovery(pairs)
}

/** The volumes as the ledger has them; checked like those of a command line, since files can be damaged. Throws UsageError. */
function targetIn(text: string): Target {
  try {
    const { primary, secondary } = JSON.parse(text) as Pair
    const { user, host, volume } = secondary
    return parseTarget(primary, user === undefined ? host : `${user}@${host}`, volume)
  } catch (cause) {
    throw new UsageError('the state file does not say which volumes something is owed for', {
      cause,
      hint: 'name them: vmbackup recover <primary-volume> <secondary-host> <secondary-volume>',
    })
  }
}
