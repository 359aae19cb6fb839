import type { Hypervisor } from './hypervisor.ts'
import type { Replication } from './replication.ts'

/** The two ends joined: the engine and the replication of its volume. */
export interface Site {
  hypervisor: Hypervisor
  replication: Replication
}
