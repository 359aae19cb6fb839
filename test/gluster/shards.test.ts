import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeMarkedShards } from '../../src/gluster/shards.ts'

const gone = '252c16d6-51e4-48e8-82b4-b75174dba48c'
const alive = 'cc14d5b7-6e64-4215-98c0-f9acf7c766ef'

async function aVolume(files: string[]) {
  const root = await mkdtemp(join(tmpdir(), 'shards-'))
  for (const folder of ['.shard/.remove_me', '.gfid']) await mkdir(join(root, folder), { recursive: true })
  for (const file of files) await writeFile(join(root, file), '')
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) }
}

test('the shards of a removed file and its mark are removed, those of others stay', async () => {
  await using volume = await aVolume([
    `.shard/.remove_me/${gone}`,
    `.shard/${gone}.1`,
    `.shard/${gone}.22`,
    `.shard/${alive}.1`,
    `.gfid/${alive}`,
  ])
  expect(await removeMarkedShards(volume.root)).toBe(2)
  expect(await readdir(join(volume.root, '.shard'))).toEqual(['.remove_me', `${alive}.1`])
  expect(await readdir(join(volume.root, '.shard/.remove_me'))).toEqual([])
})

test('what is no gfid marks nothing', async () => {
  const files = ['.shard/.remove_me/x', '.shard/x.1', `.shard/.remove_me/${gone}.1`]
  await using volume = await aVolume(files)
  expect(await removeMarkedShards(volume.root)).toBe(0)
  expect(await readdir(join(volume.root, '.shard'))).toEqual(['.remove_me', 'x.1'])
})

test('a file that is marked and still there keeps its shards', async () => {
  await using volume = await aVolume([`.shard/.remove_me/${alive}`, `.shard/${alive}.1`, `.gfid/${alive}`])
  expect(await removeMarkedShards(volume.root)).toBe(0)
  expect(await readdir(join(volume.root, '.shard'))).toEqual(['.remove_me', `${alive}.1`])
})

test('a volume without shards is left as it is', async () => {
  await using volume = await aVolume([])
  await rm(join(volume.root, '.shard'), { recursive: true })
  expect(await removeMarkedShards(volume.root)).toBe(0)
})
