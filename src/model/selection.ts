/** What picks VMs. Names and patterns are compared without case. */
export type Selector =
  | { by: 'all' }
  /** Those that carry the tag of any policy. */
  | { by: 'policy' }
  | { by: 'tag'; tag: string }
  /** `*` stands for anything. */
  | { by: 'name'; pattern: string }
  | { by: 'regex'; pattern: string }
  | { by: 'cluster'; cluster: string }

/** Which VMs are to be protected, and which of their disks are not. */
export interface Selection {
  include: readonly Selector[]
  exclude: readonly Selector[]
  /** Names of disks, `*` stands for anything; `VM/DISK` means the disk of that VM alone. */
  excludeDisks: readonly string[]
}

/** How well VMs that carry a tag are to be protected. */
export interface Policy {
  name: string
  tag: string
  rpoMs: number
}

/** A VM with this tag is kept out of every selection. */
export const keepOutTag = 'vmbackup-none'

/** A selector as the configuration spells it. */
export function wordsOf(selector: Selector): string {
  switch (selector.by) {
    case 'all':
    case 'policy':
      return selector.by
    case 'tag':
      return `tag:${selector.tag}`
    case 'cluster':
      return `cluster:${selector.cluster}`
    default:
      return `${selector.by}:${selector.pattern}`
  }
}
