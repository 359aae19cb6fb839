import { z } from 'zod'
import type { Cluster } from '../model/hypervisor.ts'
import { id, line, list, read, text } from './wire.ts'

/** A tag of the engine's; `name` as it is, since it goes back into requests. */
export interface Tag {
  id: string
  name: string
}

const tag = z.object({ id, name: text })
const cluster = z.object({ id, name: line })

/** The tags of an answer to /tags, or to a VM's tags. */
export function tagsIn(body: unknown): Tag[] {
  return read(list('tag', tag), body, 'list of tags')
}

/** The clusters of an answer to /clusters. */
export function clustersIn(body: unknown): Cluster[] {
  return read(list('cluster', cluster), body, 'list of clusters')
}
