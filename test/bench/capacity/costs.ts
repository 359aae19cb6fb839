import type { Chapter } from '../figure.ts'
import type { Costs } from './estate.ts'

/** Where each number comes from: a section, and its fact of the same name. */
const from: Record<keyof Costs, string> = {
  cycleSeconds: 'replication',
  planSecondsPerVm: 'engine',
  cpuSecondsPerVm: 'engine',
  requestsPerVm: 'engine',
  compareSecondsPerImage: 'content',
  lookSecondsPerPiece: 'content',
}

/** What was measured, the newest first. Throws where a section is missing. */
export function costsFrom(chapters: readonly Chapter[]): Costs {
  const of = (name: keyof Costs): number => {
    const found = chapters.find((one) => one.name === from[name] && one.facts?.[name] !== undefined)
    const fact = found?.facts?.[name]
    if (fact !== undefined) return fact
    throw new Error(`${name} was not measured: name the section too: scripts/bench ${from[name]} capacity`)
  }
  return {
    cycleSeconds: of('cycleSeconds'),
    planSecondsPerVm: of('planSecondsPerVm'),
    cpuSecondsPerVm: of('cpuSecondsPerVm'),
    requestsPerVm: of('requestsPerVm'),
    compareSecondsPerImage: of('compareSecondsPerImage'),
    lookSecondsPerPiece: of('lookSecondsPerPiece'),
  }
}
