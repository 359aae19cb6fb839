import type { JobConfig, RouteConfig } from '../config/keys.ts'
import type { Alert } from '../model/alert.ts'
import { compareSeverity, type Letter } from './letter.ts'

export type ChannelKind = 'mail' | 'webhook' | 'engine'

/** One place that messages go to. */
export interface Receiver {
  route: string
  channel: ChannelKind
  /** The address of a mail; the other ways have one place for each route. */
  to?: string
}

/** What routing looks at; a Config is one. */
export interface Directory {
  readonly routes: readonly RouteConfig[]
  readonly jobs: readonly Pick<JobConfig, 'name' | 'notify'>[]
}

/** Under which a receiver is kept. None of its words has a space. */
export function keyOf({ channel, route, to }: Receiver): string {
  return to === undefined ? `${channel} ${route}` : `${channel} ${route} ${to}`
}

/** What trouble with the receiver is called: as keyOf, for all addresses of a route. */
export function matterOf({ channel, route }: Receiver): string {
  return `${channel} ${route}`
}

/** All that a route sends to. */
export function receiversIn(route: RouteConfig): Receiver[] {
  const { name, mail = [], webhook, engine } = route
  return [
    ...mail.map((to): Receiver => ({ route: name, channel: 'mail', to })),
    ...(webhook === undefined ? [] : [{ route: name, channel: 'webhook' } satisfies Receiver]),
    ...(engine ? [{ route: name, channel: 'engine' } satisfies Receiver] : []),
  ]
}

/**
 * Who gets an alert: the routes that its job names (all of them when the job names none, or when it is about no job) whose severity it has.
 * An all-clear also goes to whoever was told of the matter before, a test to everybody. An address that stands in several
 * routes gets it once, by the first of them; trouble with a way of telling is not told that way.
 */
export function receiversOf(
  alert: Alert,
  { routes, jobs }: Directory,
  wasTold: (receiver: Receiver) => boolean = () => false,
): Receiver[] {
  const named = jobs.find((job) => job.name === alert.job)?.notify ?? []
  const taken = new Set<string>()
  return routes
    .filter((route) => alert.kind === 'test' || named.length === 0 || named.includes(route.name))
    .flatMap((route) => receiversIn(route).map((receiver) => ({ receiver, route })))
    .filter(({ receiver, route }) => isFor(alert, route) || (isAllClear(alert) && wasTold(receiver)))
    .filter(({ receiver }) => matterOf(receiver) !== alert.matter)
    .filter(({ receiver, route }) => {
      const place = placeOf(receiver, route)
      return !taken.has(place) && taken.add(place)
    })
    .map(({ receiver }) => receiver)
}

/** True for the end of what was alerted of before. */
export function isAllClear({ kind }: Pick<Letter, 'kind'>): boolean {
  return kind === 'rpo clear' || kind === 'trouble over'
}

/** True for what an all-clear comes after. */
export function hasAllClear({ kind }: Pick<Letter, 'kind'>): boolean {
  return kind === 'rpo warning' || kind === 'rpo breach' || kind === 'trouble'
}

function isFor(alert: Alert, { severity }: RouteConfig): boolean {
  if (alert.kind === 'test') return true
  return severity !== 'none' && compareSeverity(alert.severity, severity) >= 0
}

/** The same for two receivers behind which is the same inbox. */
function placeOf(receiver: Receiver, { webhook }: RouteConfig): string {
  if (receiver.channel === 'mail') return `mail ${receiver.to?.toLowerCase()}`
  return receiver.channel === 'webhook' ? `webhook ${webhook}` : 'engine'
}
