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
