import type { DomainFacts, ImageFacts, VmDocument } from '../model/domain.ts'

/** Images that keep an engine from attaching the domain, whoever they belong to. */
export function blockersOf(facts: DomainFacts): string[] {
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
