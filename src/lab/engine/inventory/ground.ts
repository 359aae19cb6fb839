import type { World } from '../world/world.ts'

/** Where the parts of a new world are made from. */
export interface Ground {
  world: World
  /** The id of a thing by its name; always the same one under the same seed. */
  id(name: string): string
  now: Date
  diskBytes: number
}
