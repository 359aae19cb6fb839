import type { DomainFacts, DomainFormat, ImageFacts, OvfStore, VmDocument } from '../model/domain.ts'

/** A domain and its VM documents as an importing engine would find them. */
export interface ExaminedDomain {
  facts: DomainFacts
  /** Every store that is there, also one that the engine has made since: an importing engine reads the newest. */
  stores: OvfStore[]
  /** By VM. */
  documents: ReadonlyMap<string, VmDocument>
  /** Why an engine could not attach the domain; empty when it could. */
  flaws: string[]
  /** Why it would find no document of any VM; empty when it would. */
  flawsOfStores: string[]
}

/** Looks at a whole domain below the root of a volume; only reads. Throws Failure only when it cannot be read at all. */
export async function examineDomain(
  format: DomainFormat,
  root: string,
  id: string,
  signal: AbortSignal,
): Promise<ExaminedDomain> {
  const facts = await format.examine(root, id, signal)
  const images = [...facts.images.values()].filter((one) => one.isOvfStore).map(({ image }) => image)
  const stores = await format.readOvfStores(root, id, images, signal)
  const { documents, flaw } = await format.documentsIn(stores)
  return {
    facts,
    stores,
    documents: new Map(documents.map((one) => [one.id, one])),
    flaws: [...facts.flaws, ...blockersOf(facts)],
    flawsOfStores: flaw === undefined ? [] : [flaw],
  }
}

/** Images that keep an engine from attaching the domain, whoever they belong to. */
function blockersOf(facts: DomainFacts): string[] {
  return [...facts.images.values()]
    .filter((image) => image.blocksImport)
    .map(
      (image) => `image ${image.image} keeps an engine from importing the domain: ${image.flaws.join('; ')}`,
    )
}

/** Why a disk could not be used: what is wrong with its own image, and with the templates that it stands on. */
export function flawsOfImage(image: ImageFacts | undefined, facts: DomainFacts): string[] {
  if (image === undefined) return ['its image is not there']
  const homes = new Set(image.volumes.flatMap(({ home }) => (home === image.image ? [] : (home ?? []))))
  return [...image.flaws, ...[...homes].flatMap((home) => flawsOfTemplate(home, facts))]
}

/** A VM made from a template can be registered only after it. */
function flawsOfTemplate(home: string, facts: DomainFacts): string[] {
  const template = facts.images.get(home)
  if (template === undefined) return [`the image ${home} of its template is not there`]
  return template.flaws.map((flaw) => `the image ${home} of its template: ${flaw}`)
}

/**
 * Volumes of these images that a VM's document names and that are not there: the engine registers such a VM, and cannot start
 * it (ovirt.md B5).
 */
export function missingVolumes(
  document: VmDocument,
  images: ReadonlySet<string>,
  facts: DomainFacts,
): string[] {
  return document.volumes
    .filter(({ image }) => images.has(image))
    .filter(({ image, volume }) => !facts.images.get(image)?.volumes.some((one) => one.volume === volume))
    .map(({ volume }) => volume)
}
