import { describe, expect, test } from 'vitest'
import { volumeOptions } from '../../src/lab/sites/volumes.ts'

const group = [
  'performance.quick-read=off',
  'performance.strict-o-direct=on',
  'performance.stat-prefetch=off',
  'cluster.shd-max-threads=8',
  'features.shard=on',
  '',
].join('\n')
const optionsOf = (shape: { shard: boolean; replicated: boolean }) =>
  Object.fromEntries(volumeOptions(group, shape))

describe('volume options', () => {
  test('the group is taken over for a replicated volume', () => {
    expect(optionsOf({ shard: true, replicated: true })).toMatchObject({
      'performance.quick-read': 'off',
      'performance.strict-o-direct': 'on',
      'cluster.shd-max-threads': '8',
    })
  })

  test('a volume without replicas gets no option of replication, which it would refuse', () => {
    expect(optionsOf({ shard: false, replicated: false })).not.toHaveProperty(['cluster.shd-max-threads'])
  })

  test('sharding is as asked, whatever the group says', () => {
    expect(optionsOf({ shard: false, replicated: true })['features.shard']).toBe('off')
    expect(optionsOf({ shard: true, replicated: true })['features.shard']).toBe('on')
  })

  test('stat-prefetch is never touched', () => {
    expect(optionsOf({ shard: true, replicated: true })).not.toHaveProperty(['performance.stat-prefetch'])
  })

  test('only shards without replicas get a single io thread', () => {
    const threads = (shard: boolean, replicated: boolean) =>
      optionsOf({ shard, replicated })['performance.io-thread-count']
    expect([threads(true, false), threads(false, false), threads(true, true)]).toEqual([
      '1',
      undefined,
      undefined,
    ])
  })

  test('files belong to vdsm, as on oVirt', () => {
    expect(optionsOf({ shard: false, replicated: false })).toMatchObject({
      'storage.owner-uid': '36',
      'storage.owner-gid': '36',
    })
  })
})
