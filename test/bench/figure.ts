/** What was measured, as a number with its unit: `s`, `MiB`, `requests`, `bytes/s`, `%`. */
export interface Amount {
  value: number
  unit: string
}

/** What a figure must reach; `of` says whether the ratio or our own amount is meant. */
interface Goal {
  of: 'ratio' | 'ours'
  must: 'be at least' | 'be at most'
  limit: number
}

/** One line of the bench: ours against what a user would otherwise use, both measured in this one run on this one machine. */
export interface Figure {
  /** What was done, e.g. `replication of 64 MiB`. */
  what: string
  ours: Amount
  /** What it is compared to, and what that took; absent where there is a limit only. */
  theirs?: Amount & { who: string }
  /** How the two compare, and in which words: `times as fast`, `times as long`. */
  ratio?: { value: number; words: string }
  goal?: Goal
  /** What somebody who reads the number has to know. */
  note?: string
}

/** One plot: how an amount grows. */
export interface Plot {
  /** Also the name of its file. */
  name: string
  title: string
  x: string
  y: string
  series: { name: string; points: [x: number, y: number][] }[]
  /** Both axes by powers of ten. */
  logarithmic?: true
}

/** Figures that belong together and are no comparison. */
export interface Table {
  title: string
  head: string[]
  rows: string[][]
}

/** What one section has measured. */
interface Measured {
  figures: Figure[]
  tables?: Table[]
  plots?: Plot[]
  /** For sections after it, by name. */
  facts?: Record<string, number>
  /** How it was measured, in a few sentences: sizes, settings, repetitions. */
  how: string
}

/** What one section has measured, as it is kept. */
export interface Chapter extends Measured {
  name: string
  title: string
  seconds: number
}

/** What a section is given to work with. */
export interface Bench {
  /** An empty directory that is removed afterwards. */
  dir: string
  /** Tells who watches what goes on. */
  say(line: string): void
  signal: AbortSignal
  /** Of the sections before it; of an earlier run of the bench where they were not asked for. */
  earlier: readonly Chapter[]
}

/** A part of the bench, in a file of its own, which has it as `section`. */
export interface Section {
  title: string
  /** Gluster, ssh and the rest must be installed. */
  needsLab: boolean
  measure(bench: Bench): Promise<Measured>
}

/** Whether a figure reaches its goal; undefined where it has none. */
export function reaches({ goal, ratio, ours }: Figure): boolean | undefined {
  if (goal === undefined) return undefined
  const value = goal.of === 'ours' ? ours.value : ratio?.value
  if (value === undefined) throw new RangeError('a goal for a ratio needs a ratio')
  return goal.must === 'be at least' ? value >= goal.limit : value <= goal.limit
}

/** Ours through theirs. */
export function timesAsMuch(
  ours: number,
  theirs: number,
  words = 'times as long',
): Required<Figure>['ratio'] {
  return { value: ours / theirs, words }
}
