import { shown } from '../model/shown.ts'
import { type Kind, kind, Wrong } from './kind.ts'
import { Secret } from './secret.ts'

const same = (text: string) => text

/** One line of text. */
export const text: Kind<string> = kind('a line of text', same, same)

/** What is accepted and has no effect. */
export const ignored: Kind<string> = kind('anything', same, same)

/** Who an event of ours comes from; the engine keeps `oVirt` for itself and stores 255 characters. */
export const origin: Kind<string> = kind(
  'a name of at most 255 characters, not oVirt',
  (value) =>
    value.toLowerCase() === 'ovirt' || value.length > 255
      ? new Wrong(`${shown(value)} cannot be used`)
      : value,
  same,
)

/** A line of text that is never shown. */
export const secret: Kind<Secret> = kind(
  'a line of text',
  (value) => new Secret(value),
  () => '',
)

/** A path; what is relative counts from the folder of the configuration file. */
export const path: Kind<string> = kind(
  "a path (a relative one counts from this file's folder)",
  (value) =>
    value.startsWith('~') ? new Wrong(`${shown(value)} has a ~, which only a shell fills in`) : value,
  same,
)

const truths = new Map(
  Object.entries({ yes: true, true: true, on: true, 1: true, no: false, false: false, off: false, 0: false }),
)

export const yesNo: Kind<boolean> = kind(
  'yes or no',
  (value) => truths.get(value.toLowerCase()) ?? new Wrong(`${shown(value)} is neither yes nor no`),
  (value) => (value ? 'yes' : 'no'),
)

export function oneOf<const T extends string>(...words: T[]): Kind<T> {
  return kind(
    words.join(', '),
    (value) =>
      words.find((word) => word === value.toLowerCase()) ?? new Wrong(`${shown(value)} is not known`),
    same,
  )
}

/** A whole number within bounds, both included. */
export function count(least: number, most: number): Kind<number> {
  return kind(
    `a whole number from ${least} to ${most}`,
    (value) => {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      return number >= least && number <= most
        ? number
        : new Wrong(`${shown(value)} is not within its bounds`)
    },
    String,
  )
}

/** The engine's API over https, without a slash at its end; a bare host gets the API's usual path. */
export const serverAddress: Kind<string> = kind(
  'https://HOST/ovirt-engine/api',
  (value) => {
    const url = URL.parse(value)
    // Not shown below: an address with a password in it must not reach a log.
    if (url === null) return new Wrong('is not an address')
    if (url.protocol === 'http:') return new Wrong('is http: the password would travel unencrypted')
    if (url.protocol !== 'https:') return new Wrong('is not an https address')
    if (url.username !== '' || url.password !== '')
      return new Wrong('holds a user or password; they have keys of their own')
    if (url.search !== '' || url.hash !== '') return new Wrong('holds more than an address (? or #)')
    const where = url.pathname.replace(/\/+$/, '')
    return url.origin + (where === '' || where === '/ovirt-engine' ? '/ovirt-engine/api' : where)
  },
  same,
)
