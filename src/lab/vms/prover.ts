import { judge, type Verdict } from './judge.ts'
import { type DiskSource, findGeometry, scan } from './scan.ts'
import { type DiskImage, openSource } from './source.ts'

/** Writes that must be there (`min`: acknowledged before the instant) and that cannot be there (above `max`). */
export interface Expectation {
  min?: number
  max?: number
}

/**
 * Proves that these images, all disks of one VM in any order, hold the VM's state after exactly n writes.
 * 'unexpected' is an unbroken state outside the expectation: another moment than the one asked for. Never throws
 * for what it reads.
 */
export async function proveImages(disks: DiskImage[], expectation: Expectation = {}): Promise<Verdict> {
  try {
    await using stack = new AsyncDisposableStack()
    const sources: DiskSource[] = []
    for (const disk of disks) sources.push(await openSource(disk, stack))
    const found = await findGeometry(sources)
    if ('why' in found) return { verdict: 'unreadable', why: found.why }
    const slots = await scan(found.geometry, found.disks)
    if (!slots) return { verdict: 'unreadable', why: 'an image is shorter than its header says' }
    const judged = judge(found.geometry, slots)
    return judged.verdict === 'exactly' ? compare(judged.n, expectation) : judged
  } catch (error) {
    return { verdict: 'unreadable', why: error instanceof Error ? error.message : String(error) }
  }
}

/** One line for people. */
export function describeVerdict(verdict: Verdict): string {
  switch (verdict.verdict) {
    case 'exactly':
      return `exactly the state after write ${verdict.n}`
    case 'torn': {
      const [example] = verdict.examples
      const where = example
        ? `, as disk ${example.disk} at ${example.offset}: ${wrote(example.expected || 'nothing')} expected, ${wrote(example.found)} found`
        : ''
      return `torn: ${verdict.wrong} of ${verdict.slots} blocks are not of write ${verdict.n}'s state${where}`
    }
    case 'unexpected':
      return `whole, but the state after write ${verdict.n}, expected ${verdict.min ?? 0} to ${verdict.max ?? 'any'}`
    case 'unreadable':
      return `unreadable: ${verdict.why}`
    default:
      return verdict satisfies never
  }
}

function wrote(found: number | 'nothing' | 'garbage'): string {
  return typeof found === 'number' ? `write ${found}` : found
}

function compare(n: number, { min, max }: Expectation): Verdict {
  if (n >= (min ?? 0) && n <= (max ?? Number.POSITIVE_INFINITY)) return { verdict: 'exactly', n }
  return { verdict: 'unexpected', n, min, max }
}
