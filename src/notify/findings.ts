import type { Clock } from '../run/clock.ts'
import type { Findings } from './dispatch.ts'
import type { Outbox } from './outbox.ts'
import { keyOf, matterOf, type Receiver } from './routing.ts'
import { isAboutTelling, lost, reachable, type Told, unreachable } from './troubles.ts'

/** A first failure may be a busy server; with the pauses between them, the third comes after three minutes. */
const failuresOfTrouble = 3

/** What sending brings to light, told to the others: once when trouble with a receiver begins, and once when it is over. */
export function createFindings({
  outbox,
  receivers,
  clock,
  say,
  broken,
}: {
  outbox: Outbox
  receivers: readonly Receiver[]
  clock: Pick<Clock, 'now'>
  say: (told: Told, kind: 'trouble' | 'trouble over') => void
  broken: Findings['broken']
}): Findings {
  return {
    broken,

    failing(receiver, how) {
      if (how.failures < failuresOfTrouble || outbox.fact(factOf(receiver)) !== undefined) return
      say(unreachable(receiver, how), 'trouble')
      outbox.note(factOf(receiver), String(how.since))
    },

    reached(receiver) {
      const since = outbox.fact(factOf(receiver))
      if (since === undefined || isFailing(receiver, outbox)) return
      say(reachable(receiver, Number(since)), 'trouble over')
      outbox.note(factOf(receiver), undefined)
    },

    gaveUp(receiver, letters, why) {
      // Else two receivers that refuse everything would tell each other of it for ever.
      const others = letters.filter((one) => !isAboutTelling(one, receivers))
      if (others.length === 0) return
      say(lost(receiver, others, why), 'trouble')
      if (isFailing(receiver, outbox) && outbox.fact(factOf(receiver)) === undefined) {
        outbox.note(factOf(receiver), String(clock.now()))
      }
    },
  }
}

/** Gives up what waits for receivers that the configuration has no more. */
export function withdraw(outbox: Outbox, receivers: readonly Receiver[], findings: Findings): void {
  const known = new Set(receivers.map(keyOf))
  for (const key of outbox.receivers().filter((one) => !known.has(one))) {
    const waiting = outbox.waiting(key)
    outbox.giveUp(key, waiting)
    const letters = waiting.map(({ letter }) => letter)
    findings.gaveUp(receiverOf(key), letters, 'it is not in the configuration any more')
  }
  for (const { receiver } of outbox.failing()) {
    if (known.has(receiver)) continue
    outbox.forget(receiver)
    if (!isFailing(receiverOf(receiver), outbox)) outbox.note(factOf(receiverOf(receiver)), undefined)
  }
}

function receiverOf(key: string): Receiver {
  const [channel, route = '', to] = key.split(' ')
  return { channel, route, ...(to === undefined ? {} : { to }) } as Receiver
}

function isFailing(receiver: Receiver, outbox: Outbox): boolean {
  const matter = matterOf(receiver)
  return outbox.failing().some((one) => one.receiver === matter || one.receiver.startsWith(`${matter} `))
}

function factOf(receiver: Receiver): string {
  return `trouble ${matterOf(receiver)}`
}
