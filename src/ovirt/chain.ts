import type { VolumeFacts } from '../model/domain.ts'

/** The volumes from bottom to top, or by id with what keeps them from being one chain. */
export function chainOf<V extends VolumeFacts & { home: string }>(
  image: string,
  facts: readonly V[],
): { volumes: V[]; flaws: string[] } {
  const byId = new Map(facts.map((one) => [one.volume, one]))
  const flaws = [...flawsOfTops(image, facts), ...flawsOfParents(facts, byId)]
  const chain: V[] = []
  const top = facts.find(({ role }) => role === 'top') ?? (facts.length === 1 ? facts[0] : undefined)
  let next = top
  for (; next !== undefined && !chain.includes(next); next = byId.get(next.parent ?? '')) chain.unshift(next)
  if (next !== undefined) flaws.push(`the parents of volume ${top?.volume} run in a circle`)
  const isWhole = chain.length === facts.length
  if (flaws.length === 0 && !isWhole) flaws.push('its volumes are not one chain')
  return { volumes: isWhole ? chain : facts.toSorted((a, b) => a.volume.localeCompare(b.volume)), flaws }
}

/** One volume is the top of its chain; a template lies alone and has none. */
function flawsOfTops(image: string, facts: readonly (VolumeFacts & { home: string })[]): string[] {
  const tops = facts.filter(({ role }) => role === 'top')
  if (tops.length > 1) return [`${tops.length} volumes are marked as the top of the chain`]
  if (tops.length === 1 || facts.length === 0) return []
  const [first] = facts
  if (facts.length === 1 && first?.role === 'shared')
    return first.home === image
      ? []
      : [`its only volume ${first.volume} is the template of image ${first.home}`]
  // vdsm's image lock looks for a leaf (image.getChain): the VM would start, and never again be snapshotted or moved.
  return ['no volume is marked as the top of the chain']
}

function flawsOfParents(facts: readonly VolumeFacts[], byId: ReadonlyMap<string, VolumeFacts>): string[] {
  const parents = facts.flatMap(({ parent }) => parent ?? [])
  const forks = [...new Set(parents)].flatMap((parent) => {
    const children = parents.filter((one) => one === parent).length
    return children > 1 ? [`${children} volumes stand on volume ${parent}`] : []
  })
  return [...facts.flatMap((one) => flawOfParent(one, byId) ?? []), ...forks]
}

function flawOfParent(
  { volume, parent, role }: VolumeFacts,
  byId: ReadonlyMap<string, VolumeFacts>,
): string | undefined {
  if (parent === undefined) return undefined
  const below = byId.get(parent)
  if (below === undefined) return `the parent ${parent} of volume ${volume} is not there`
  if (below.role === 'top')
    return `volume ${parent} is marked as the top of the chain, and volume ${volume} stands on it`
  if (role === 'shared' && below.role !== 'shared')
    return `the template ${volume} stands on volume ${parent}, which is none`
  return undefined
}
