import { describe, expect, test } from 'vitest'
import { piecesDigest } from '../../src/point/content.ts'
import type { VerifyOptions } from '../../src/point/verify.ts'
import { volumeAt } from '../support/stage.ts'
import { newestPoint, verified } from './a-point.ts'
import { aSecondary, pathsOf } from './a-secondary.ts'

describe('the shards of a disk', () => {
  /** The newest point, as if its disks had been made of these pieces, against a volume that has others. */
  async function withShards(proved: [string, number][], now: [string, number][], content: boolean) {
    const { stage, root } = await aSecondary()
    await using _ = stage
    const point = await newestPoint(root)
    const plain = volumeAt(root)
    const sharded = (pieces: [string, number][]): VerifyOptions['volume'] => ({
      dir: root,
      async open(path, signal) {
        const file = await plain.open(path, signal)
        return { ...file, pieces: new Map(pieces) }
      },
    })
    const signal = new AbortController().signal
    for (const volume of point.vms.flatMap((vm) => vm.disks.flatMap(({ chain }) => chain ?? []))) {
      await using file = await sharded(proved).open(pathsOf('db-disk1').data, signal)
      if (volume.content !== undefined) volume.content.pieces = piecesDigest(file)
    }
    return await verified(root, { volume: sharded(now), content }, point)
  }
  const pieces: [string, number][] = [
    ['shard 0', 4],
    ['shard 7', 4],
  ]

  test('are proved by their sizes, in whatever order they are found', async () => {
    expect(await withShards(pieces, pieces.toReversed(), true)).toMatchObject({ verdict: 'proved' })
  })

  test.each<[string, [string, number][]]>([
    ['lost', [['shard 0', 4]]],
    [
      'cut short',
      [
        ['shard 0', 4],
        ['shard 7', 3],
      ],
    ],
    [
      'moved',
      [
        ['shard 0', 4],
        ['shard 6', 4],
      ],
    ],
  ])('refute the point when one is %s, also where its content would not be read', async (_what, now) => {
    for (const content of [true, false]) {
      const { verdict, vms } = await withShards(pieces, now, content)
      expect(verdict).toBe('refuted')
      expect(vms.flatMap(({ why }) => why).join()).toContain('its shards are not those that were proved')
    }
  })
})
