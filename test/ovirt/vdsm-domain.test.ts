import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/model/errors.ts'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import { aFolder } from '../run/a-folder.ts'
import {
  createDomain,
  derived,
  domainId,
  idOf,
  plain,
  stores,
  template,
  top,
} from '../support/domain-files.ts'

const { signal } = new AbortController()
const images = [plain.image, top.image, template.image, derived.image, ...stores.map(({ image }) => image)]

async function aDomain() {
  const files = await createDomain(aFolder())
  const dir = join(files.root, domainId, 'images')
  return { ...files, dir, examine: () => vdsmFormat.examine(files.root, domainId, signal) }
}

describe('a domain', () => {
  test('that is sound has no flaws, nor has any of its images', async () => {
    const { examine } = await aDomain()
    const facts = await examine()
    expect({ ...facts, images: [...facts.images.keys()] }).toEqual({ images, flaws: [], blockBytes: 512 })
    expect([...facts.images.values()].flatMap(({ flaws }) => flaws)).toEqual([])
  })

  test('of format V4 is sound too', async () => {
    const { examine, writeMetadata, redescribe } = await aDomain()
    await writeMetadata({ VERSION: '4', BLOCK_SIZE: undefined, ALIGNMENT: undefined })
    await redescribe(plain, { CAP: undefined, SEQ: undefined, SIZE: '2048', MTIME: '0' })
    const facts = await examine()
    expect([facts.flaws, facts.images.get(plain.image)?.flaws]).toEqual([[], []])
  })

  test('with flaws in its metadata is still looked at', async () => {
    const { examine, writeMetadata } = await aDomain()
    await writeMetadata({ SDUUID: idOf(9), BLOCK_SIZE: '1' })
    const facts = await examine()
    expect([facts.flaws.length, facts.blockBytes, facts.images.size]).toEqual([2, undefined, images.length])
  })

  test('without its metadata is still looked at', async () => {
    const { examine, root } = await aDomain()
    await rm(join(root, domainId, 'dom_md', 'metadata'))
    const facts = await examine()
    expect(facts.images.size).toBe(images.length)
    expect(facts.flaws).toEqual([expect.stringMatching(/^the domain's metadata cannot be read: ENOENT/)])
  })

  test('has no images under other names', async () => {
    const { examine, dir } = await aDomain()
    await rename(join(dir, plain.image), join(dir, `_remove_me_${plain.image}_1`))
    await mkdir(join(dir, `_MERGED_${idOf(97)}`))
    await writeFile(join(dir, 'README'), 'x')
    await writeFile(join(dir, idOf(98)), 'a file that is named like an image')
    await symlink('/etc', join(dir, idOf(99)))
    expect([...(await examine()).images.keys()]).toEqual(images.slice(1))
  })

  test('tells which image has which flaw', async () => {
    const { examine, path } = await aDomain()
    await truncate(path(plain), 0)
    await rm(path(top))
    const flawed = [...(await examine()).images.values()].filter(({ flaws }) => flaws.length > 0)
    expect(flawed.map(({ image }) => image)).toEqual([plain.image, top.image])
  })

  test('that is not there cannot be read', async () => {
    await expect(vdsmFormat.examine(aFolder(), domainId, signal)).rejects.toThrow(
      `cannot read the images of storage domain ${domainId}`,
    )
  })

  test.each(['', '..', 'x', `${domainId}/..`])('is not called "%s"', async (id) => {
    await expect(vdsmFormat.examine(aFolder(), id, signal)).rejects.toThrow(Failure)
    await expect(vdsmFormat.readOvfStores(aFolder(), id, [], signal)).rejects.toThrow(Failure)
    expect(() => vdsmFormat.dataOf(id, plain)).toThrow(Failure)
  })

  test('is not looked at any more after a cancellation', async () => {
    const { root } = await aDomain()
    const cancelled = AbortSignal.abort(new Error('enough'))
    await expect(vdsmFormat.examine(root, domainId, cancelled)).rejects.toThrow('enough')
  })

  test("has a volume's data where vdsm puts it", () => {
    expect(vdsmFormat.dataOf(domainId, plain)).toBe(`${domainId}/images/${plain.image}/${plain.volume}`)
  })
})
