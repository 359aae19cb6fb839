import { Cron } from 'croner'
import { messageOf } from '../model/errors.ts'
import { parseHost, parseUserName, parseVolumeName } from '../model/names.ts'
import type { Pair } from '../model/pair.ts'
import { oneLine, shown } from '../model/shown.ts'
import { type Kind, kind, Wrong } from './kind.ts'

/** Words between commas or on lines of their own. */
function listed(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

/** A list of what `one` reads. Never empty. */
export function listOf<T>(
  allowed: string,
  one: (text: string) => T | Wrong,
  write: (value: T) => string,
): Kind<T[]> {
  const list = kind<T[]>(
    allowed,
    (text) => {
      const found: T[] = []
      for (const word of listed(text)) {
        const value = one(word)
        if (value instanceof Wrong) return value
        found.push(value)
      }
      return found.length === 0 ? new Wrong('is an empty list') : found
    },
    (values) => values.map(write).join(', '),
  )
  return { ...list, lines: true }
}

/** Pairs of volumes, as a run is asked for them. */
export const pairs: Kind<Pair[]> = listOf(
  'PRIMARY-VOLUME [USER@]SECONDARY-HOST SECONDARY-VOLUME, more of them after commas',
  (text) => {
    const [primary, at, volume, ...more] = text.split(/\s+/)
    if (primary === undefined || at === undefined || volume === undefined || more.length > 0)
      return new Wrong(`${shown(text)} is not three words`)
    try {
      const [host = '', user] = at.split('@').toReversed()
      const named = user === undefined ? {} : { user: parseUserName(user) }
      const secondary = { ...named, host: parseHost(host), volume: parseVolumeName(volume) }
      return { primary: parseVolumeName(primary), secondary }
    } catch (error) {
      return new Wrong(messageOf(error))
    }
  },
  ({ primary, secondary: { user, host, volume } }) =>
    `${primary} ${user === undefined ? host : `${user}@${host}`} ${volume}`,
)

/** A cron expression: five fields, or six with seconds before them. */
export const cron: Kind<string> = kind(
  'minute hour day month weekday, as cron has them (0 */4 * * *), or @hourly, @daily, @weekly',
  (text) => {
    const expression = text.replace(/\s+/g, ' ')
    // croner would take a date, too, and make one start of it.
    if (!/^(@\w+|(\S+ ){4,5}\S+)$/.test(expression)) return new Wrong(`${shown(text)} is not a schedule`)
    try {
      return new Cron(expression, { paused: true, mode: '5-or-6-parts' }).nextRun() === null
        ? new Wrong(`${shown(text)} never comes`)
        : expression
    } catch (error) {
      return new Wrong(`${shown(text)} is not a schedule (${oneLine(messageOf(error), 120)})`)
    }
  },
  (value) => value,
)

/** A time zone as the system knows it. */
export const timeZone: Kind<string> = kind(
  'a time zone such as Europe/Vienna or UTC',
  (text) => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
    } catch {
      return new Wrong(`${shown(text)} is not a time zone`)
    }
  },
  (value) => value,
)

/** A share, from nothing to `most`, in percent. */
export function percent(most: number): Kind<number> {
  return kind(
    `0% to ${most}%`,
    (text) => {
      const [, number] = /^(\d{1,3}(?:\.\d{1,2})?)\s*%$/.exec(text) ?? []
      if (number === undefined) return new Wrong(`${shown(text)} is not a percentage`)
      return Number(number) <= most ? Number(number) : new Wrong(`${shown(text)} is too large`)
    },
    (value) => `${value}%`,
  )
}

/** Names of sections. */
export const names: Kind<string[]> = listOf(
  'names, between commas',
  (text) => (sectionName.test(text) ? text : new Wrong(`${shown(text)} is not a name`)),
  (value) => value,
)

/** What a named section may be called. */
export const sectionName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/

/** Addresses of mail. */
export const mailAddresses: Kind<string[]> = listOf(
  'mail addresses, between commas',
  (text) =>
    /^[^\s@<>"(),;:\\]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text)
      ? text
      : new Wrong(`${shown(text)} is not a mail address`),
  (value) => value,
)

/** One address of mail. */
export const mailAddress: Kind<string> = kind(
  'a mail address',
  (text) => {
    const read = mailAddresses.schema.safeDecode(text)
    const [one, ...more] = read.data ?? []
    return one === undefined || more.length > 0 ? new Wrong(`${shown(text)} is not one mail address`) : one
  },
  (value) => value,
)

/** Where something is posted to. What is in it may be a secret, and is not shown. */
export const webAddress: Kind<string> = kind(
  'https://HOST/PATH (or http:// )',
  (text) => {
    const url = URL.parse(text)
    if (url === null) return new Wrong('is not an address')
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return new Wrong('is neither http nor https')
    if (url.username !== '' || url.password !== '') return new Wrong('holds a user or password')
    return url.href
  },
  (value) => value,
)

export interface Endpoint {
  host: string
  port: number
}

/** A host and its port. */
export function endpoint(example: string): Kind<Endpoint> {
  return kind(
    `HOST:PORT, such as ${example}`,
    (text) => {
      const [, bracketed, plain, port = ''] =
        /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]{1,253})):(\d{1,5})$/.exec(text) ?? []
      const host = bracketed ?? plain
      const number = Number(port)
      return host === undefined || number < 1 || number > 65_535
        ? new Wrong(`${shown(text)} is not a host with its port`)
        : { host, port: number }
    },
    ({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`),
  )
}

/** True for a host that no other machine can reach us at. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
