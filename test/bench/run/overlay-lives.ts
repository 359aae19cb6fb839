import { z } from 'zod'
import type { LabClient } from '../../../src/lab/client.ts'

/** Of the engine's audit log: a snapshot is complete, its removal was begun, it is removed. */
const codes = { taken: 68, asked: 342, merged: 356 }

const eventsShape = z.object({
  event: z
    .array(
      z.object({
        id: z.coerce.number(),
        code: z.coerce.number(),
        time: z.coerce.number(),
        vm: z.object({ name: z.string() }).optional(),
      }),
    )
    .default([]),
})

/** How long one VM ran on overlays, and how much of that its own merge took; in seconds, by the engine's own log. */
export interface OverlayLife {
  vm: string
  seconds: number
  merge: number
}

/** The number of the newest event. */
export async function newestEvent(lab: LabClient): Promise<number> {
  const { event } = eventsShape.parse(await lab.api('GET', '/events?max=1'))
  return event[0]?.id ?? 0
}

/** The lives of all overlays that were made after that event and are gone. */
export async function overlayLivesSince(lab: LabClient, from: number): Promise<OverlayLife[]> {
  const { event: events } = eventsShape.parse(await lab.api('GET', `/events?from=${from}&max=10000`))
  // Newest first: the first that was asked is the last one.
  const at = (name: string, code: number): number =>
    events.findLast((one) => one.code === code && one.vm?.name === name)?.time ?? Number.NaN
  const merged = events.filter(({ code }) => code === codes.merged)
  return merged.flatMap(({ vm, time }) => {
    if (vm === undefined) return []
    const [taken, asked] = [at(vm.name, codes.taken), at(vm.name, codes.asked)]
    return [{ vm: vm.name, seconds: (time - taken) / 1000, merge: (time - asked) / 1000 }]
  })
}
