import { join } from 'node:path'
import { execa } from 'execa'
import type { LabClient } from '../../src/lab/client.ts'
import { benchLab } from './bench-lab.ts'
import { type Bench, type Figure, type Section, timesAsMuch } from './figure.ts'
import { medianOf } from './middle.ts'
import { type Case, type Measurement, measurementShape, type Tool } from './replication/cycle.ts'

const root = join(import.meta.dirname, '../..')
const node24 = join(root, 'node_modules/.bin/node')
const program = join(import.meta.dirname, 'replication/measure-cycles.ts')

/** By twos the other way round, so that what the machine does meanwhile is nobody's. */
const inTurn = [
  'ours',
  'by hand',
  'by hand',
  'ours',
  'ours',
  'by hand',
  'by hand',
  'ours',
  'ours',
  'by hand',
] as const

const cases: readonly { what: Case; tools: readonly Tool[] }[] = [
  { what: 'no change', tools: ['script', ...inTurn.slice(0, 6)] },
  { what: '64 MiB new', tools: ['script', ...inTurn] },
  { what: '1 GiB with 5% changed', tools: ['script', ...inTurn.slice(0, 4)] },
]

/** One turn of replication, from the order to the stopped session. */
export const section: Section = {
  title: 'Replication cycle',
  needsLab: true,
  async measure(bench) {
    await using lab = await benchLab('replication', bench.signal, '--no-engine')
    const figures: Figure[] = []
    const facts: Record<string, number> = {}
    let lost = 0
    for (const { what, tools } of cases) {
      bench.say(what)
      const found = await measured(lab, bench, what, tools)
      lost += found.reduce((sum, { again }) => sum + again, 0)
      figures.push(...figuresOf(what, found))
      if (what === 'no change') facts['cycleSeconds'] = secondsOf(found, 'ours')
    }
    return { figures, facts, how: howMeasured(lost) }
  },
}

async function measured(
  lab: LabClient,
  { signal, say }: Bench,
  what: Case,
  tools: readonly Tool[],
): Promise<Measurement[]> {
  const [file, ...argv] = lab.at(
    'gp1',
    'env',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    node24,
    program,
    what,
    ...tools,
  )
  const child = execa(file, argv, { cancelSignal: signal, stderr: ['pipe', 'inherit'] })
  const found: Measurement[] = []
  for await (const line of child) {
    const one = measurementShape.parse(JSON.parse(line))
    say(`${what}: ${one.tool}: ${one.seconds.toFixed(1)} s`)
    found.push(one)
  }
  return found
}

function howMeasured(lost: number): string {
  return [
    'Two sites of one brick each on this machine, their volumes not sharded, changelog.rollover-time 2 (by default, 15, a change log is closed every 14 s only, which no client can hurry).',
    'Ours is the step `replicate` of a run with every setting at its default, from the order to the session seen stopped (that it does not run is seen before the snapshots);',
    'by hand is the same without any look after it: checkpoint, start, touch the root all the time, look all the time, stop. The script runs as it is shipped.',
    'Medians of one to five cycles each, in turn, of the script one: 60 s of it are a fixed sleep. After each cycle the file that was changed',
    `must have the same SHA-256 at both ends. Cycles in which Gluster lost changes (it does that by itself) were done again and count for nobody: ${lost}.`,
  ].join(' ')
}

function secondsOf(found: readonly Measurement[], by: Tool): number {
  return medianOf(found.filter(({ tool }) => tool === by).map(({ seconds }) => seconds))
}

function figuresOf(what: Case, found: readonly Measurement[]): Figure[] {
  const [ours, script, floor] = [
    secondsOf(found, 'ours'),
    secondsOf(found, 'script'),
    secondsOf(found, 'by hand'),
  ]
  const mine = { what, ours: { value: ours, unit: 's' } }
  return [
    {
      ...mine,
      theirs: { who: 'schedule_georep.py', value: script, unit: 's' },
      ratio: { value: script / ours, words: 'times as fast' },
      ...(what === '64 MiB new' ? { goal: { of: 'ratio', must: 'be at least', limit: 5 } } : {}),
    },
    {
      ...mine,
      theirs: { who: 'the best by hand', value: floor, unit: 's' },
      ratio: timesAsMuch(ours, floor),
      goal: { of: 'ratio', must: 'be at most', limit: 1.15 },
    },
  ]
}
