import { costsFrom } from './capacity/costs.ts'
import { bigEstate, type Costs, type Estate, type Knobs, usualGround, vmsOf } from './capacity/estate.ts'
import { type Outlook, onPaper } from './capacity/paper.ts'
import { simulate } from './capacity/simulate.ts'
import type { Figure, Plot, Section, Table } from './figure.ts'

const most: Knobs = { snapshotsAtOnce: 32, mergesAtOnce: 32, imagesAtOnce: 4, intervalMs: 1000 }
const usual: Knobs = { snapshotsAtOnce: 4, mergesAtOnce: 4, imagesAtOnce: 4, intervalMs: 1000 }

const scenarios: { name: string; estate: Estate; knobs: Knobs }[] = [
  {
    name: '1 volume for each engine, 4 at once (default)',
    estate: { ...bigEstate, volumes: 1 },
    knobs: usual,
  },
  { name: '1 volume, 32 at once', estate: { ...bigEstate, volumes: 1 }, knobs: most },
  { name: '4 volumes, 32 at once', estate: bigEstate, knobs: most },
  { name: '16 volumes, 32 at once', estate: { ...bigEstate, volumes: 16 }, knobs: most },
  { name: '4 volumes, not sharded', estate: { ...bigEstate, sharded: false }, knobs: most },
  { name: '4 volumes, ten times the changes', estate: { ...bigEstate, changedPerDay: 0.2 }, knobs: most },
]

/** How far it goes: ten engines with 10,000 VMs each, by arithmetic from what the other sections measured, checked by playing the steps. */
export const section: Section = {
  title: 'How far it goes: 10 engines with 10,000 VMs each, 500 TB',
  needsLab: false,
  async measure({ earlier, say }) {
    const costs = costsFrom(earlier)
    const outlooks = scenarios.map(({ name, estate, knobs }) => ({
      name,
      estate,
      knobs,
      outlook: onPaper(estate, usualGround, costs, knobs),
    }))
    const figures: Figure[] = []
    for (const { name, estate, knobs, outlook } of outlooks.slice(0, 4)) {
      say(`playing ${name}`)
      const played = await simulate(estate, usualGround, knobs, outlook.phases.replicate)
      if (played.unmerged > 0) throw new Error(`${name}: ${played.unmerged} VMs were not merged`)
      const seconds = played.snapshot + played.replicate + played.merge
      const { snapshot, replicate, merge } = outlook.phases
      const paper = snapshot + replicate + merge
      figures.push({
        what: `run of ${vmsOf(estate)} VMs, ${knobs.snapshotsAtOnce} at once`,
        ours: { value: seconds, unit: 's' },
        theirs: { who: 'on paper', value: paper, unit: 's' },
        ratio: { value: seconds / paper, words: 'times as long' },
        goal: { of: 'ratio', must: 'be at most', limit: 1.1 },
      })
      if (seconds < paper * 0.95) throw new Error(`${name}: played in ${seconds} s, on paper in ${paper} s`)
    }
    const how = [
      `The first table plays snapshots, replication and merges with the product's own steps on a virtual clock, against an engine whose jobs take as long as they are told. The second is arithmetic.`,
      `Measured here (in this run, or in the one that is kept): ${sentences(costs)}`,
      `Put in, since no single machine can show it: ${sentences(usualGround)} 2 disks and 5 GB for each VM, of which guests change 2% a day.`,
    ].join('\n')
    return { figures, how, tables: [tableOf(outlooks)], plots: [rpoPlot(costs)] }
  },
}

function tableOf(outlooks: { name: string; outlook: Outlook }[]): Table {
  return {
    title: 'Runs without a pause: what RPO is possible, and what is in the way',
    head: [
      'ESTATE',
      'ONE RUN',
      'RPO',
      'LONGEST OVERLAY',
      'SNAPSHOTS',
      'REPLICATION',
      'COMPARISON',
      'MERGES',
      'LINK',
      'AGENT',
      'ENGINE',
    ],
    rows: outlooks.map(({ name, outlook }) => [
      name,
      minutes(outlook.cycleSeconds),
      minutes(outlook.rpoSeconds),
      minutes(outlook.overlaySeconds),
      percent(outlook.busy['snapshot slots']),
      percent(outlook.phases.replicate / outlook.cycleSeconds),
      percent(outlook.phases.compare / outlook.cycleSeconds),
      percent(outlook.busy['merge slots']),
      percent(outlook.busy.link),
      `${percent(outlook.busy["one agent's core"])} of a core`,
      `${outlook.requestsPerSecond.toFixed(1)} requests/s`,
    ]),
  }
}

function rpoPlot(costs: Costs): Plot {
  const sizes = [100, 300, 1000, 3000, 10_000]
  const points = (atOnce: number) =>
    sizes.map((vmsPerEngine): [number, number] => {
      const bytes = (bigEstate.bytes * vmsPerEngine) / bigEstate.vmsPerEngine
      const knobs = { ...most, snapshotsAtOnce: atOnce, mergesAtOnce: atOnce }
      const { rpoSeconds } = onPaper(
        { ...bigEstate, vmsPerEngine, bytes, volumes: 1 },
        usualGround,
        costs,
        knobs,
      )
      return [vmsPerEngine, rpoSeconds / 60]
    })
  return {
    name: 'capacity-rpo',
    title: 'Best possible RPO of one volume (on paper)',
    x: 'VMs on the volume',
    y: 'minutes',
    logarithmic: true,
    series: [4, 16, 32].map((atOnce) => ({ name: `${atOnce} at once`, points: points(atOnce) })),
  }
}

function sentences(facts: object): string {
  const words = Object.entries(facts).map(([name, value]) => {
    const plain = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    return `${plain} ${Number(value) >= 1000 ? Number(value).toExponential(0) : Number(Number(value).toPrecision(2))}`
  })
  return `${words.join(', ')}.`
}

function minutes(seconds: number): string {
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`
}
