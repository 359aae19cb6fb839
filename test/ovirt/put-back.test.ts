import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { OvfStore } from '../../src/model/domain.ts'
import { Failure } from '../../src/model/errors.ts'
import { stores } from '../support/domain-files.ts'
import { aDomainWithStores, only } from './domain-with-stores.ts'

const [older, newer] = stores

describe('a store that is put back', () => {
  const late = 'Sat Nov 21 09:00:00 UTC 2026'

  test('is as it was kept, in the same files', async () => {
    const files = await aDomainWithStores()
    const kept = await files.read()
    const inode = async () =>
      Promise.all(['', '.meta'].map(async (suffix) => (await stat(files.path(newer) + suffix)).ino))
    const before = await inode()
    await files.fillStore(newer, { ...only('polluted'), more: 'x'.repeat(50_000) }, late, { more: 'longer' })
    expect(await files.names()).toEqual(['polluted'])

    expect(await Promise.all(kept.map(files.putBack))).toEqual([false, true])
    expect(await files.read()).toEqual(kept)
    expect(await inode()).toEqual(before)
    expect((await stat(files.path(newer))).size).toBe(1024 * 1024)
  })

  test('is not written when it is so already', async () => {
    const files = await aDomainWithStores()
    const [kept] = await files.read()
    const written = async () => (await stat(`${files.path(older)}.meta`, { bigint: true })).mtimeNs
    const before = await written()
    expect(kept && (await files.putBack(kept))).toBe(false)
    expect(await written()).toBe(before)
  })

  test('loses the mark that it lacked when it was kept', async () => {
    const files = await aDomainWithStores()
    await files.outdate(newer)
    const kept = await files.read()
    await files.fillStore(newer, only('polluted'), late)
    for (const store of kept) await files.putBack(store)
    expect(await files.names()).toEqual(['web', 'db', 'golden'])
  })

  test('keeps bytes that are no UTF-8', async () => {
    const files = await aDomainWithStores()
    const raw = Buffer.concat([await readFile(`${files.path(older)}.meta`), Buffer.from([0xff, 0xfe, 0x80])])
    await writeFile(`${files.path(older)}.meta`, raw)
    const [kept] = await files.read()
    await files.fillStore(older, only('polluted'), late)
    expect(kept && (await files.putBack(kept))).toBe(true)
    expect(await readFile(`${files.path(older)}.meta`)).toEqual(raw)
  })

  test('is refused when it is vouched for and its content could not be kept', async () => {
    const files = await aDomainWithStores()
    await truncate(files.path(newer), 100)
    const kept = await files.read()
    await files.fillStore(newer, only('polluted'), late)
    await expect(files.putBack(kept[1] as OvfStore)).rejects.toThrow(Failure)
    expect(await files.names()).toEqual(['polluted'])
  })

  test('is a failure where it is missing', async () => {
    const files = await aDomainWithStores()
    const [kept] = await files.read()
    await rm(files.path(older))
    await expect(files.putBack(kept as OvfStore)).rejects.toThrow(`cannot put OVF_STORE ${older.image} back`)
  })
})
