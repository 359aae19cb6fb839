import { createHash } from 'node:crypto'
import type { JobConfig } from '../config/keys.ts'
import { nameOfPair } from '../model/pair.ts'

/**
 * How much of the job's jitter a start has: from nothing to all of it, and always the same for the same job and start, so
 * that a restart changes no start that was announced. The volumes count, since many sites call their job alike.
 */
export function jitterAt({ name, pairs, jitterMs }: JobConfig, at: number): number {
  if (jitterMs === 0) return 0
  const hash = createHash('sha256').update(JSON.stringify([name, pairs.map(nameOfPair), at]))
  return Math.floor((hash.digest().readUInt32BE() / 2 ** 32) * (jitterMs + 1))
}
