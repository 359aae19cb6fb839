import type { Pair } from '../model/pair.ts'
import type { PairView } from './view.ts'

/** A pair as it is shown: without the user that asks its secondary. */
export function pairView({ primary, secondary: { host, volume } }: Pair): PairView {
  return { primary, secondary: { host, volume } }
}
