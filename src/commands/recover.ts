import { backupPlay } from '../backup/play.ts'
import type { Asked } from '../cli/asked.ts'
import { parsePair } from '../cli/common-args.ts'
import { renderRecovery } from '../cli/render-recovery.ts'
import { UsageError } from '../model/errors.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import type { Emit } from '../run/event.ts'
import {
  exitCodeOfRecovery,
  notTried,
  type Owing,
  owedFor,
  type PairRecovery,
  pairsOwing,
  recover as recoverPair,
} from '../run/recover.ts'
import { createSite, optionsOf } from '../site.ts'
import { listenersFor } from './listeners.ts'
import { logDirIn, prepare } from './prepare.ts'
import type { Terminal } from './terminal.ts'

/** Settles what earlier runs owe, or lists it; returns the exit code. */
export async function recover(asked: Asked & { kind: 'recover' }, terminal: Terminal): Promise<number> {
  const { config, request } = await prepare(asked.options, terminal)
  const { stdout, paintOut, env, version } = terminal
  const owing: Owing<Pair>[] =
    asked.pair === undefined
      ? pairsOwing(request.stateDir, pairIn)
      : [{ name: nameOfPair(asked.pair), pair: asked.pair }]
  const found = owing.map((one) => ifNamed(one, (pair) => owedFor({ ...request, ...pair })))
  refuseUnknown(asked.waive, found)

  async function settle(pair: Pair, emit: Emit): Promise<PairRecovery> {
    const site = createSite(config, pair, env, logDirIn(config.state.dir))
    const play = backupPlay(site, optionsOf(config, version), pair.primary)
    try {
      return await recoverPair({ ...request, ...pair, emit }, play, asked.waive)
    } finally {
      await site.hypervisor.close()
    }
  }

  let pairs = found
  if (!asked.dryRun) {
    const { emit, end } = await listenersFor(config, asked.options.verbosity, terminal)
    pairs = []
    for (const one of owing) {
      pairs.push(
        await ifNamed(one, (pair) => settle(pair, emit).catch((error: unknown) => notTried(pair, error))),
      )
    }
    end()
  }
  stdout.write(
    asked.options.json
      ? `${JSON.stringify({ version: 1, pairs }, null, 2)}\n`
      : `${renderRecovery(pairs, paintOut)}\n`,
  )
  return exitCodeOfRecovery(pairs)
}

/** What is done for a pair; for one of which only the ledger's name is known, nothing can be tried. */
function ifNamed<T>(one: Owing<Pair>, act: (pair: Pair) => T): T | PairRecovery {
  if ('pair' in one) return act(one.pair)
  return notTried({ primary: one.name, secondary: { host: '?', volume: '?' } }, one.error)
}

function refuseUnknown(waive: readonly number[], pairs: readonly PairRecovery[]): void {
  const known = new Set(pairs.flatMap((pair) => pair.found.map(({ id }) => id)))
  const unknown = waive.filter((id) => !known.has(id))
  if (unknown.length === 0) return
  throw new UsageError(`nothing is owed under number ${unknown.join(', ')}`, {
    hint: 'vmbackup recover --dry-run shows the numbers',
  })
}

/** The volumes as the ledger has them; checked like those of a command line, since files can be damaged. Throws UsageError. */
function pairIn(text: string): Pair {
  try {
    const { primary, secondary } = JSON.parse(text) as Pair
    const { user, host, volume } = secondary
    return parsePair(primary, user === undefined ? host : `${user}@${host}`, volume)
  } catch (cause) {
    throw new UsageError('the state file does not say which volumes something is owed for', {
      cause,
      hint: 'name them: vmbackup recover <primary-volume> <secondary-host> <secondary-volume>',
    })
  }
}
