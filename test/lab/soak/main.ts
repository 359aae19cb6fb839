// Runs the agent many times in a row on a lab of its own, among random faults and kills under write load, and judges after each run
// that nothing is left, nothing acknowledged is lost, and nothing claimed is false.
import { parseArgs } from 'node:util'
import { labFor } from '../agent.ts'
import { type Disturbance, disturbances, kill } from './disturbances.ts'
import { randomFrom, shuffled } from './random.ts'
import { playRound } from './round.ts'

const usage = `usage: scripts/soak [--runs N] [--seed N] [--name NAME] [-- options of scripts/lab up]

Brings a lab up and runs vmbackup N times (default 30), each time among faults drawn from a list (the engine's, Gluster's, the guests')
and, every third time, kill -9. Heals the lab, runs \`vmbackup recover\`, and judges: nothing is left on the
engine and on both volumes, every guest holds every write acknowledged to it, every VM that the newest recovery point
claims is exactly one moment of its life. Exit code 1 if anything else is found. A seed repeats the choice.
`
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    name: { type: 'string', default: 'soak' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const random = randomFrom(Number(values.seed))
const runs = Number(values.runs)
process.stdout.write(`seed ${values.seed}, ${runs} runs\n`)
let flawed = 0
const deck: Disturbance[] = []
const outcomes = new Map<string, number>()
await using lab = await labFor(
  values.name,
  ...(positionals.length > 0 ? positionals : ['--vms', '1', '--rate', '50']),
)
for (let round = 1; round <= runs; round += 1) {
  // Each of them once before any comes again.
  if (deck.length === 0) deck.push(...shuffled(disturbances, random))
  const chosen = [...deck.splice(0, 1), ...(round % 3 === 0 ? [kill] : [])]
  const began = Date.now()
  const { outcome, claimed, settled, flaws } = await playRound(lab, chosen, random)
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  flawed += flaws.length === 0 ? 0 : 1
  const seconds = Math.round((Date.now() - began) / 1000)
  const names = chosen.map(({ name }) => name).join(' + ')
  const told = `${outcome}, ${settled} settled by recover, ${claimed} VMs claimed`
  process.stdout.write(`${String(round).padStart(3)}  ${`${seconds} s`.padStart(6)}  ${names}: ${told}\n`)
  for (const flaw of flaws) process.stdout.write(`       FLAW: ${flaw}\n`)
}
const counts = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ')
process.stdout.write(`${runs} runs: ${counts}; ${flawed} of them with flaws\n`)
process.exitCode = flawed === 0 ? 0 : 1
