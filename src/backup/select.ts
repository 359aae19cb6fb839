import type { Finding } from '../model/finding.ts'
import type { Cluster, Hypervisor } from '../model/hypervisor.ts'
import { keepOutTag, type Policy, type Selection, type Selector, wordsOf } from '../model/selection.ts'
import { oneLine, shown } from '../model/shown.ts'
import type { Disk, Vm } from '../model/vm.ts'
import { expression, matches } from './matches.ts'

/** Of whom it is, so that reasons can name it. */
export type NamedSelection = Selection & { job?: string }

/** All that there is, but for what is kept out by its tag. */
export const everything: NamedSelection = { include: [{ by: 'all' }], exclude: [], excludeDisks: [] }

type Named = Pick<Vm, 'id' | 'name' | 'clusterId'>

/** A selection with all that the engine had to be asked for it: pure from here on. */
export interface Selected {
  /** Undefined for a VM that is selected. Throws Failure when an expression takes too long. */
  whyNotSelected(vm: Named): string | undefined
  /** The name of the policy that it has by its tags: of several the one with the shortest RPO. */
  policyOf(vm: Pick<Vm, 'id'>): string | undefined
  /** Undefined for a disk that may take part. */
  whyDiskExcluded(vm: Pick<Vm, 'name'>, disk: Pick<Disk, 'name'>): string | undefined
  /** What the selection names and the engine does not have. */
  findings: Finding[]
}

/** Asks the engine for the tags and clusters that are named, for those of the policies, and for the tag that keeps out. Throws EngineError. */
export async function resolveSelection(
  hypervisor: Hypervisor,
  selection: NamedSelection,
  policies: readonly Policy[],
  signal: AbortSignal,
): Promise<Selected> {
  const selectors = [...selection.include, ...selection.exclude]
  const names = selectors.flatMap((one) => (one.by === 'tag' ? [one.tag] : []))
  const tags = [keepOutTag, ...policies.map(({ tag }) => tag), ...names].map((tag) => tag.toLowerCase())
  const wantsClusters = selectors.some(({ by }) => by === 'cluster')
  const [clusters, ...tagged] = await Promise.all([
    wantsClusters ? hypervisor.clusters(signal) : [],
    ...[...new Set(tags)].map(
      async (tag) => [tag, new Set((await hypervisor.tagged(tag, signal)).map(({ id }) => id))] as const,
    ),
  ])
  const carriers = new Map(tagged)
  const carries = (vm: Pick<Vm, 'id'>, tag: string) => carriers.get(tag.toLowerCase())?.has(vm.id) === true
  const bySpeed = policies.toSorted((a, b) => a.rpoMs - b.rpoMs || a.name.localeCompare(b.name))
  const policyOf = (vm: Pick<Vm, 'id'>) => bySpeed.find(({ tag }) => carries(vm, tag))?.name
  const asked: Asked = { clusters, carries, hasPolicy: (vm) => policyOf(vm) !== undefined }
  const include = selection.include.map((one) => testOf(one, asked))
  const exclude = selection.exclude.map((one) => ({ fits: testOf(one, asked), words: wordsOf(one) }))
  const by = selection.job === undefined ? '' : ` by job ${selection.job}`

  return {
    whyNotSelected(vm) {
      if (carries(vm, keepOutTag)) return `kept out by tag ${keepOutTag}`
      if (!include.some((fits) => fits(vm))) return `not selected${by}`
      const against = exclude.find(({ fits }) => fits(vm))
      return against && `excluded by ${oneLine(against.words, 100)}`
    },
    policyOf,
    whyDiskExcluded(vm, disk) {
      const pattern = selection.excludeDisks.find((one) => namesDisk(one, vm.name, disk.name))
      return pattern && `excluded by exclude_disks ${oneLine(pattern, 100)}`
    },
    findings: selectors.flatMap((one) => clusterFinding(one, clusters, by)),
  }
}

/** True for the reasons that are given here, which another selection or tag changes. */
export function isBySelection(why: string): boolean {
  return /^(kept out by tag|not selected|excluded by) ?/.test(why)
}

/** What the engine has told. */
interface Asked {
  clusters: readonly Cluster[]
  carries(vm: Named, tag: string): boolean
  hasPolicy(vm: Named): boolean
}

function testOf(selector: Selector, { clusters, carries, hasPolicy }: Asked): (vm: Named) => boolean {
  switch (selector.by) {
    case 'all':
      return () => true
    case 'policy':
      return hasPolicy
    case 'tag':
      return (vm) => carries(vm, selector.tag)
    case 'name':
      return ({ name }) => matches(selector.pattern, name)
    case 'regex': {
      const fits = expression(selector.pattern)
      return ({ name }) => fits(name)
    }
    case 'cluster': {
      const ids = new Set(clusters.filter((one) => isNamed(one, selector.cluster)).map(({ id }) => id))
      return ({ clusterId }) => clusterId !== undefined && ids.has(clusterId)
    }
  }
}

/** `DISK`, or `VM/DISK`: no VM has a slash in its name. */
function namesDisk(pattern: string, vm: string, disk: string): boolean {
  const slash = pattern.indexOf('/')
  if (matches(pattern, disk)) return true
  return slash >= 0 && matches(pattern.slice(0, slash), vm) && matches(pattern.slice(slash + 1), disk)
}

function isNamed(cluster: Cluster, name: string): boolean {
  return cluster.name.toLowerCase() === name.toLowerCase()
}

/** A tag that nobody carries is none: VMs get and lose it. A cluster is there or misspelt. */
function clusterFinding(selector: Selector, clusters: readonly Cluster[], by: string): Finding[] {
  if (selector.by !== 'cluster' || clusters.some((one) => isNamed(one, selector.cluster))) return []
  const known = clusters.map(({ name }) => oneLine(name, 60)).slice(0, 20)
  return [
    {
      severity: 'warning',
      subject: `selection${by}`,
      what: `the engine has no cluster ${shown(selector.cluster)}`,
      hint: `name one of: ${known.join(', ')}`,
    },
  ]
}
