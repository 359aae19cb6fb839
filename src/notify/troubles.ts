import type { TroubleView } from '../agent/view.ts'
import type { Alert } from '../model/alert.ts'
import type { Letter } from './letter.ts'
import type { Failing } from './outbox.ts'
import { keyOf, matterOf, type Receiver } from './routing.ts'
import { listed } from './wording.ts'

/** Where the outbox itself cannot be read or written. */
export interface Broken {
  since: number
  what: string
}

/** What the outbox tells of itself; when, and whether it begins or ends, is the caller's. */
export type Told = Pick<Alert, 'id' | 'matter' | 'title' | 'text' | 'severity'>

/** Pure: that a route cannot be reached, in the words of its last failure. The id is that of this time of trouble. */
export function unreachable(receiver: Receiver, { since, what }: Failing): Told {
  const matter = matterOf(receiver)
  return {
    id: `trouble ${matter} ${since}`,
    matter,
    severity: 'warning',
    title: `route ${receiver.route} cannot be told by ${receiver.channel}`,
    text: `${what}\n\nWhat it should be told waits, and is tried again for a week.`,
  }
}

/** Pure: that it can be reached again. */
export function reachable(receiver: Receiver, since: number): Told {
  const matter = matterOf(receiver)
  return {
    id: `trouble over ${matter} ${since}`,
    matter,
    severity: 'normal',
    title: `route ${receiver.route} is told by ${receiver.channel} again`,
    text: 'What waited for it is being sent.',
  }
}

/** Pure: letters that a receiver never gets; for the others to know of. */
export function lost(receiver: Receiver, letters: readonly Letter[], why: string): Told {
  const { route, channel, to = `route ${route}` } = receiver
  return {
    id: `given up ${keyOf(receiver)} ${letters.map(({ id }) => id).join(' ')}`,
    // As of other trouble with it, so that it is not told of itself.
    matter: matterOf(receiver),
    severity: 'warning',
    title: `${letters.length === 1 ? 'a message' : `${letters.length} messages`} for ${to} by ${channel} will never be sent`,
    text: [why, '', ...listed(letters)].join('\n'),
  }
}

/** Pure: that alerts cannot be written down. */
export function unwritable({ since, what }: Broken): Told {
  return {
    id: `trouble alerts ${since}`,
    matter: 'alerts',
    severity: 'alert',
    title: 'alerts cannot be written down',
    text: `${what}\n\nThey are sent all the same, but those that cannot be sent at once are lost when the agent ends.`,
  }
}

/** Pure: that alerts are written down again. */
export function writable({ since }: Broken): Told {
  return {
    id: `trouble over alerts ${since}`,
    matter: 'alerts',
    severity: 'normal',
    title: 'alerts are written down again',
    text: 'Nothing is to be done.',
  }
}

/** Pure: what stands in the way of telling, longest first; one for each way of each route. */
export function troublesOf(
  failing: readonly { receiver: Receiver; how: Failing }[],
  broken: Broken | undefined,
): TroubleView[] {
  const ways = Map.groupBy(failing, ({ receiver }) => matterOf(receiver))
  const routes = [...ways].map(([matter, ones]) => {
    const [{ how: first } = { how: undefined }] = ones.toSorted(
      (one, other) => one.how.since - other.how.since,
    )
    return { matter, since: first?.since ?? 0, what: first?.what ?? '' }
  })
  return [...routes, ...(broken === undefined ? [] : [{ matter: 'alerts', ...broken }])]
    .toSorted((one, other) => one.since - other.since)
    .map(({ matter, since, what }) => ({ matter, since: new Date(since).toISOString(), what }))
}

/** True for a letter about a way of telling itself. */
export function isAboutTelling({ kind, matter }: Letter, receivers: readonly Receiver[]): boolean {
  if (kind !== 'trouble' && kind !== 'trouble over') return false
  return matter === 'alerts' || receivers.some((receiver) => matterOf(receiver) === matter)
}
