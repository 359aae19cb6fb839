import { nameOfPair } from '../model/pair.ts'
import { keepOutTag } from '../model/selection.ts'
import { shown } from '../model/shown.ts'
import { openUntil, type Window } from '../model/window.ts'
import type { Config, JobConfig, PolicyConfig } from './keys.ts'
import { tagOf } from './policies.ts'
import type { Section } from './section.ts'
import { diskPatterns, selectors } from './selection-kinds.ts'

/** A key that was wrong is missing from what is looked at here, whatever its type says. */
type Decoded<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** What a job says that does not fit with itself, or names what there is not. */
export function checkJob(job: JobConfig, config: Config, section: Section): void {
  checkPairs(job, section)
  const routes = config.routes.map(({ name }) => name)
  for (const name of job.notify ?? []) {
    if (!routes.includes(name)) section.wrong('notify', `there is no [route ${name}]`)
  }
  if (job.enabled && job.schedule === undefined && job.rpoMs === undefined) {
    section.doubtful(
      undefined,
      'has neither schedule nor rpo, so it starts by hand only; enabled = no says that this is meant',
    )
  }
  if (job.blackout !== undefined && coversTheWeek(job.blackout)) {
    section.wrong('blackout', 'covers the whole week, so that no run could start')
  }
  const byPolicy = [...(job.select ?? []), ...(job.exclude ?? [])].some(({ by }) => by === 'policy')
  if (byPolicy && config.policies.length === 0) {
    section.doubtful('select', 'picks VMs by their policy, and there is no [policy NAME]')
  }
}

function checkPairs({ pairs }: Decoded<JobConfig>, section: Section): void {
  const primaries = (pairs ?? []).map(({ primary }) => primary)
  const twice = primaries.find((primary, index) => primaries.indexOf(primary) !== index)
  if (twice !== undefined) {
    section.wrong(
      'pairs',
      `has the volume ${twice} twice: a run replicates a volume to one place; make two jobs`,
    )
  }
}

function coversTheWeek(windows: readonly Window[]): boolean {
  const monday = Date.UTC(2024, 0, 1)
  const week = 7 * 24 * 60 * 60_000
  return (openUntil(windows, monday, 'UTC') ?? monday) >= monday + week
}

/** Jobs of one volume must pick the same of it. */
export function checkSharedVolumes(jobs: readonly { job: JobConfig; section: Section }[]): void {
  for (const [index, { job, section }] of jobs.entries()) {
    for (const other of jobs.slice(0, index)) {
      const volume = sharedVolume(job, other.job)
      if (volume === undefined) continue
      for (const key of differences(job, other.job)) {
        section.wrong(
          key,
          `differs from [${other.section.title}], which has the volume ${volume}, too: each run overwrites the whole copy of a volume, so what it does not select would lose its recovery point; give both the same select, exclude and exclude_disks`,
        )
      }
    }
  }
}

function sharedVolume(one: Decoded<JobConfig>, other: Decoded<JobConfig>): string | undefined {
  const copies = (other.pairs ?? []).map(nameOfPair)
  return one.pairs?.find((pair) => copies.includes(nameOfPair(pair)))?.primary
}

function differences(one: Decoded<JobConfig>, other: Decoded<JobConfig>): string[] {
  if (one.select === undefined || other.select === undefined) return []
  const [mine, theirs] = [written(one), written(other)]
  return Object.keys(mine).filter((key) => mine[key] !== theirs[key])
}

/** The order does not matter: any of them picks. */
function written({ select, exclude, excludeDisks }: Decoded<JobConfig>): Record<string, string> {
  const sorted = (text: string) => text.split(', ').toSorted().join(', ')
  return {
    select: sorted(selectors.schema.encode(select ?? [])),
    exclude: sorted(selectors.schema.encode(exclude ?? [])),
    exclude_disks: sorted(diskPatterns.schema.encode(excludeDisks ?? [])),
  }
}

/** No VM may have two policies by one tag, nor one by the tag that keeps it out. */
export function checkPolicies(policies: readonly { policy: PolicyConfig; section: Section }[]): void {
  const tags = new Map([[keepOutTag, 'keeps VMs out of every selection (vmbackup unprotect)']])
  for (const { policy, section } of policies) {
    if (tagOf({ name: policy.name.toLowerCase(), tag: undefined }) === keepOutTag) {
      section.wrong(undefined, `cannot be called so: the tag ${keepOutTag} keeps VMs out of every selection`)
      continue
    }
    const tag = tagOf(policy)
    const taken = tags.get(tag.toLowerCase())
    const key = policy.tag === undefined ? undefined : 'tag'
    if (taken !== undefined) section.wrong(key, `cannot have the tag ${shown(tag)}, which ${taken}`)
    else tags.set(tag.toLowerCase(), `is that of [${section.title}]`)
  }
}
