import { type FileHandle, mkdtempDisposable, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { judge, type Verdict } from './judge.ts'
import { type DiskSource, findGeometry, scan } from './scan.ts'

/** A disk's image as it lies on any file system; an open file can only be raw. A qcow2's backing chain is followed. */
export type DiskImage =
  | { path: string; format: 'raw' | 'qcow2' }
  | { handle: FileHandle; format?: 'raw' | undefined }

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
    await using opened = await openAll(disks)
    const found = await findGeometry(opened.sources)
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

async function openAll(disks: DiskImage[]) {
  await using stack = new AsyncDisposableStack()
  const sources: DiskSource[] = []
  for (const disk of disks) sources.push(await openSource(disk, stack))
  const owned = stack.move()
  return { sources, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function openSource(disk: DiskImage, stack: AsyncDisposableStack): Promise<DiskSource> {
  if ('handle' in disk) return fileSource(disk.handle)
  if (disk.format === 'raw') return fileSource(stack.use(await open(disk.path)))
  const directory = stack.use(await mkdtempDisposable(join(tmpdir(), 'prove-')))
  const raw = join(directory.path, 'raw')
  // -U: a running VM holds a lock on its chain, also on the frozen part.
  await execa('qemu-img', ['convert', '-U', '-f', 'qcow2', '-O', 'raw', disk.path, raw])
  return fileSource(stack.use(await open(raw)))
}

function fileSource(file: FileHandle): DiskSource {
  return {
    async read(offset, length) {
      const buffer = Buffer.allocUnsafe(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await file.read(buffer, done, length - done, offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return buffer.subarray(0, done)
    },
  }
}
