import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import { flawsOfImage, missingVolumes } from '../../src/point/sound.ts'
import { aFolder } from '../run/a-folder.ts'
import { bottom, createDomain, derived, domainId, idOf, template, top } from '../support/domain-files.ts'

type Domain = Awaited<ReturnType<typeof createDomain>>

async function factsAfter(change: (files: Domain) => Promise<unknown> = async () => undefined) {
  const files = await createDomain(aFolder())
  await change(files)
  return vdsmFormat.examine(files.root, domainId, new AbortController().signal)
}

test('the disk of a linked clone is sound while its template is', async () => {
  const facts = await factsAfter()
  expect(flawsOfImage(facts.images.get(derived.image), facts)).toEqual([])
})

test('the disk of a linked clone cannot be used without its template, which must be registered first', async () => {
  const facts = await factsAfter(({ path }) => rm(dirname(path(template)), { recursive: true }))
  expect(flawsOfImage(facts.images.get(derived.image), facts)).toEqual([
    `the image ${template.image} of its template is not there`,
  ])
})

test('what is wrong with a template is wrong with its clones', async () => {
  const facts = await factsAfter(({ redescribe }) => redescribe(template, { LEGALITY: 'ILLEGAL' }))
  const flaws = flawsOfImage(facts.images.get(derived.image), facts)
  expect(flaws.join()).toContain(
    `the image ${template.image} of its template: volume ${template.volume} is ILLEGAL`,
  )
})

test('volumes that a document names and that are not there are told, those of other disks are not looked for', async () => {
  const facts = await factsAfter()
  const gone = { image: top.image, volume: idOf(99) }
  const elsewhere = { image: idOf(98), volume: idOf(97) }
  const document = { id: idOf(70), name: 'web', text: '', volumes: [bottom, top, gone, elsewhere] }
  expect(missingVolumes(document, new Set([top.image]), facts)).toEqual([idOf(99)])
})
