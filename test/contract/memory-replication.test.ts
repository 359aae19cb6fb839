import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Progress } from '../../src/model/replication.ts'
import { createMemoryReplication, type ReplicationFaults } from '../support/memory-replication.ts'
import { volumeAt } from '../support/stage.ts'
import { replicationContract } from './replication.ts'

replicationContract('directories in memory', async () => {
  const root = await mkdtemp(join(tmpdir(), 'replication-'))
  const { replication } = await createMemoryReplication(root)
  return {
    replication,
    emptyDir: () => mkdtemp(join(root, 'mount-')),
    paceMs: 5,
    turnMs: 2000,
    quietMs: 50,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
})

describe('faults of the replication in memory', () => {
  const { signal } = new AbortController()
  const roots: string[] = []
  afterEach(async () => {
    for (const root of roots.splice(0)) await rm(root, { recursive: true })
  })

  async function make(faults: Partial<ReplicationFaults>) {
    const root = await mkdtemp(join(tmpdir(), 'replication-'))
    roots.push(root)
    return { root, ...(await createMemoryReplication(root, faults)) }
  }

  /** Looks until reached, at most so often; how many looks it took, or what was seen last. */
  async function looks({ replication, primaryDir }: Awaited<ReturnType<typeof make>>, most = 40) {
    await replication.mark(signal)
    const since = await replication.marked(signal)
    await replication.start(signal)
    let last: Progress = { state: 'down', detail: '' }
    for (let count = 1; count <= most; count += 1) {
      await replication.nudge(volumeAt(primaryDir), signal)
      last = await replication.progress(since, signal)
      if (last.state === 'reached') return count
      await new Promise(setImmediate)
    }
    return last
  }

  test('a stalled start never reaches the checkpoint, a second start does', async () => {
    const memory = await make({ stalledStarts: 1 })
    expect(await looks(memory)).toMatchObject({ state: 'waiting' })
    await memory.replication.stop(signal)
    expect(await looks(memory, 10_000)).toBeGreaterThan(0)
  })

  test('slow looks put the checkpoint off', async () => {
    expect(await looks(await make({ slowLooks: 7 }), 10_000)).toBeGreaterThan(7)
  })

  test('a faulty session waits, and says so', async () => {
    const memory = await make({ faulty: true })
    expect(await looks(memory)).toMatchObject({ detail: expect.stringContaining('Faulty') })
    expect((await memory.replication.session(signal)).state).toBe('faulty')
  })

  test('an empty start leaves the session down', async () => {
    expect(await looks(await make({ emptyStarts: 1 }))).toMatchObject({ state: 'down' })
  })

  test('a lost file arrives with no content', async () => {
    const memory = await make({ lost: ['disk'] })
    await writeFile(join(memory.primaryDir, 'disk'), 'content')
    await looks(memory, 10_000)
    expect(await readFile(join(memory.secondaryDir, 'disk'), 'utf8')).toBe('')
  })

  test('a failing method says why', async () => {
    const { replication } = await make({ failing: { stop: 'gluster is busy' } })
    await expect(replication.stop(signal)).rejects.toThrow('gluster is busy')
  })

  test('another process sees the same session', async () => {
    const { root, replication } = await make({})
    await replication.start(signal)
    const other = await createMemoryReplication(root)
    expect((await other.replication.session(signal)).state).toBe('active')
  })

  test('a file removed on the secondary and changed on the primary is not sent again', async () => {
    const memory = await make({})
    await writeFile(join(memory.primaryDir, 'hole'), 'first')
    await looks(memory, 10_000)
    await rm(join(memory.secondaryDir, 'hole'))
    await writeFile(join(memory.primaryDir, 'hole'), 'second')
    await looks(memory, 10_000)
    await expect(readFile(join(memory.secondaryDir, 'hole'))).rejects.toThrow('ENOENT')
  })
})
