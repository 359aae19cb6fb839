import { EngineError, hintOf, messageOf, saidNo } from '../model/errors.ts'
import type { Announcement } from '../model/hypervisor.ts'
import { oneLine } from '../model/shown.ts'
import { type Channel, NotSent } from './channel.ts'

/** Posts an event to the engine, once for each number, as `Hypervisor.announce` does. */
export type Announce = (announcement: Announcement, number: number, signal: AbortSignal) => Promise<void>

const longestText = 4000

/** Messages as events of the engine. The event's number comes from the message's id, so that posting one again makes no second event. */
export function createEngineEvents(announce: Announce): Channel {
  return async ({ id, severity, kind, title, text }, _receiver, signal) => {
    // A summary has lines that are not for one long line.
    const said = kind === 'digest' ? title : `${title}. ${text}`
    try {
      await announce({ severity, text: oneLine(`vmbackup: ${said}`, longestText) }, numberOf(id), signal)
    } catch (error) {
      const hint = hintOf(error)
      throw new NotSent(`could not post an event to the engine: ${oneLine(messageOf(error), 300)}`, {
        cause: error,
        certain: saidNo(error),
        answered: error instanceof EngineError && error.status !== undefined,
        ...(hint && { hint }),
      })
    }
  }
}

/** 31 bits of a message's id. */
function numberOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16) >>> 1
}
