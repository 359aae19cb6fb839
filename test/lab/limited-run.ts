// One backup with a limit of the bandwidth (bytes per second; 0 = none), at the primary on the lab's configuration; prints its
// report. With `killed` it ends by SIGKILL while the session sends.
import { backupPlay } from '../../src/backup/play.ts'
import { logDirIn } from '../../src/commands/prepare.ts'
import { readConfig } from '../../src/config/config.ts'
import { systemClock } from '../../src/run/clock.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { perform } from '../../src/run/perform.ts'
import { createSite, optionsOf } from '../../src/site.ts'

const [file = '', primary = '', host = '', volume = '', rate = '0', killed] = process.argv.slice(2)
const config = await readConfig(file, { overrides: [], env: process.env })
const pair = { primary, secondary: { host, volume } }
const site = createSite(config, pair, process.env, logDirIn(config.state.dir))
const bandwidth = rate === '0' ? [] : [{ value: Number(rate) }]
const report = await perform(
  {
    ...pair,
    stateDir: config.state.dir,
    signal: new AbortController().signal,
    clock: systemClock,
    settleMs: config.state.settleMs,
    emit(event: RunEvent) {
      if (event.kind === 'step began') process.stderr.write(`step ${event.step}\n`)
      if (event.kind !== 'waiting') return
      process.stderr.write(`${event.what}; ${event.leftMs ?? 'no'} ms left\n`)
      if (killed === 'killed' && / Crawl, \d+ pending/.test(event.what)) process.kill(process.pid, 'SIGKILL')
    },
  },
  backupPlay(site, { ...optionsOf(config, '0.0.0'), bandwidth }, primary),
)
await site.hypervisor.close()
process.stdout.write(JSON.stringify(report))
