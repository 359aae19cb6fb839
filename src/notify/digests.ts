import type { RunSummary, StatusView } from '../agent/view.ts'
import type { RouteConfig } from '../config/keys.ts'
import { messageOf } from '../model/errors.ts'
import { digestText, digestTitle } from './digest.ts'
import { nextDigest } from './digest-times.ts'
import type { Letter } from './letter.ts'
import type { Outbox } from './outbox.ts'
import { receiversIn } from './routing.ts'

/** What a summary is made of. */
export type DigestSource = (from: number, to: number) => { status: StatusView; runs: readonly RunSummary[] }

const dayMs = 86_400_000

/**
 * Takes the summaries that are due into the outbox, and says when the next one is. It begins where the last one ended; of several that were missed
 * there is one. The first comes after a whole period.
 */
export function takeDigests(
  routes: readonly RouteConfig[],
  outbox: Outbox,
  source: DigestSource,
  now: number,
): number {
  let next = Number.POSITIVE_INFINITY
  for (const route of routes) {
    const from = lastDigest(route, outbox, now)
    if (from === undefined) continue
    const due = nextDigest(route, from) ?? Number.POSITIVE_INFINITY
    if (due <= now) {
      outbox.take(letterOf(route, source, from, now), receiversIn(route), now)
      outbox.note(factOf(route), String(now))
    }
    next = Math.min(next, due <= now ? (nextDigest(route, now) ?? next) : due)
  }
  return next
}

function lastDigest(route: RouteConfig, outbox: Outbox, now: number): number | undefined {
  if (route.digest === undefined) return undefined
  const noted = Number(outbox.fact(factOf(route)) ?? Number.NaN)
  // One that lies ahead was noted by a clock that was wrong: none would come for as long.
  if (noted <= now + dayMs) return noted
  outbox.note(factOf(route), String(now))
  return now
}

function factOf({ name }: RouteConfig): string {
  return `digest ${name}`
}

function letterOf({ name, timeZone }: RouteConfig, source: DigestSource, from: number, to: number): Letter {
  const about = { id: `digest ${name} ${from}`, matter: `digest ${name}`, kind: 'digest', at: to } as const
  try {
    const { status, runs } = source(from, to)
    const text = digestText(status, runs, from, to, timeZone)
    return { ...about, severity: 'normal', title: digestTitle(status, runs), text }
  } catch (error) {
    const text = `${messageOf(error)}\n\n\`vmbackup status\` shows how things are.`
    return { ...about, severity: 'warning', title: 'summary: it could not be made', text }
  }
}
