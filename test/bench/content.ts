import { join } from 'node:path'
import { execa } from 'execa'
import type { LabClient } from '../../src/lab/client.ts'
import { benchLab } from './bench-lab.ts'
import { Inside } from './content/measured.ts'
import type { Bench, Figure, Section } from './figure.ts'
import { medianOf } from './middle.ts'

const root = join(import.meta.dirname, '../..')
const node24 = join(root, 'node_modules/.bin/node')
/** Two shards and a half. */
const dataMib = 160
const shardMib = 64
const program = join(import.meta.dirname, 'content/measure-inside.ts')

/** Comparison of content at both ends of a real lab, through the mounts that a run makes. */
export const section: Section = {
  title: 'Comparison of content',
  needsLab: true,
  async measure(bench) {
    const whole = await measureWith('off', bench)
    const inShards = await measureWith('on', bench)
    return {
      figures: [...figuresOf(whole, ''), ...figuresOf(inShards, `, in shards of ${shardMib} MiB`)],
      facts: {
        compareSecondsPerImage: medianOf(whole.quick.ours),
        lookSecondsPerPiece: medianOf(inShards.quick.ours) / (1024 ** 2 / shardMib),
      },
      how: 'Each file is the same at both ends; every way reads it through the same two mounts, which by-pass the cache of the kernel (direct I/O), while the bricks have it in theirs: it is read once before. Opening is part of the time. Medians of three turns, the ways one after the other in each. "reading alone" is dd with blocks of 1 MiB at both ends at the same time.',
    }
  },
}

async function measureWith(shard: 'off' | 'on', { dir, say, signal }: Bench): Promise<Inside> {
  say(`a lab with sharding ${shard} comes up`)
  await using lab = await benchLab(`content-${shard}`, signal, '--no-engine', '--shard', shard)
  if (shard === 'on') await setShardSize(lab)
  say('files are written and compared')
  // Awaited, so that the lab stays up as long.
  return await measureInside(lab, join(dir, shard), signal)
}

/** That of the settings with which oVirt makes its volumes; the lab's own shards are as small as can be. */
async function setShardSize(lab: LabClient): Promise<void> {
  const set = ['gluster', '--mode=script', 'volume', 'set']
  for (const { primary, secondary } of lab.status.pairs) {
    await lab.run('gp1', ...set, primary, 'features.shard-block-size', `${shardMib}MB`)
    await lab.run('gs1', ...set, secondary, 'features.shard-block-size', `${shardMib}MB`)
  }
}

async function measureInside(lab: LabClient, dir: string, signal: AbortSignal): Promise<Inside> {
  const [pair] = lab.status.pairs
  const { host } = lab.status.secondary
  if (pair === undefined || host === undefined) throw new Error('the lab has no pair of volumes')
  const argv = [node24, program, dir, host, pair.primary, pair.secondary, String(dataMib)]
  const [file, ...args] = lab.at('gp1', ...argv)
  const { stdout } = await execa(file, args, { cancelSignal: signal, stderr: 'inherit' })
  return Inside.parse(JSON.parse(stdout))
}

function figuresOf({ full, sparse, quick }: Inside, kind: string): Figure[] {
  const mib = (bytes: number): string => `${bytes / 1024 ** 2} MiB`
  const atLeast = { of: 'ratio', must: 'be at least', limit: 0.9 } as const
  const against = (what: string, bytes: number, ours: number[], who: string, theirs: number[]): Figure => {
    const [mine, its] = [bytes / medianOf(ours), bytes / medianOf(theirs)]
    return {
      what,
      ours: { value: mine, unit: 'bytes/s' },
      theirs: { who, value: its, unit: 'bytes/s' },
      ratio: { value: mine / its, words: 'times as fast' },
    }
  }
  const pieces = (quick.sizeBytes / 1024 ** 2 / shardMib).toLocaleString('en')
  const looks =
    kind === ''
      ? ''
      : `; before that each of ${pieces} possible pieces is looked for at each end, which is what takes the time: a piece that never came shows nowhere else`
  const random = `full, ${mib(full.bytes)} of data${kind}`
  const holes = `full, ${mib(sparse.bytes)}, most of it holes${kind}`
  return [
    { ...against(random, full.bytes, full.ours, 'cmp', full.cmp), goal: atLeast },
    against(random, full.bytes, full.ours, 'sha256sum at both ends', full.sha256sum),
    against(random, full.bytes, full.ours, 'reading alone', full.reading),
    { ...against(holes, sparse.bytes, sparse.ours, 'cmp', sparse.cmp), goal: atLeast },
    {
      what: `quick, 1 TiB of holes${kind}`,
      ours: { value: medianOf(quick.ours), unit: 's' },
      goal: { of: 'ours', must: 'be at most', limit: 5 },
      note: `${(quick.bytesRead / 1024 ** 2).toFixed(2)} MiB read at each end${looks}`,
    },
  ]
}
