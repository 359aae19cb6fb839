import { UsageError } from './errors.ts'
import { shown } from './shown.ts'

/** How a domain, an image, a volume or a file of Gluster (gfid) is named; paths are built from nothing else. */
export const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** An id of the engine's; it becomes a part of addresses, searches and paths, where `..` or `*` would lead elsewhere. */
export const entityId = /^[A-Za-z0-9_-]{1,64}$/

/** A Gluster volume name as glusterd accepts it, safe as a command argument. Throws UsageError. */
export function parseVolumeName(text: string): string {
  // glusterd allows letters, digits, '_' and '-' only; `all` is its word for every volume (cli-cmd-parser.c).
  const isName = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,249}$/.test(text) && text !== 'all'
  if (isName) return text
  throw new UsageError(`${shown(text)} is not the name of a Gluster volume`, {
    hint: 'a volume name has letters, digits, _ and - only and does not begin with -; `gluster volume list` shows them',
  })
}

/** A host name or IPv4 address, safe as a command argument and in `host::volume`. Throws UsageError. */
export function parseHost(text: string): string {
  const isHost = text.length <= 253 && /^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\.?$/.test(text)
  if (isHost) return text
  throw new UsageError(`${shown(text)} is not the name of a host`, {
    hint: 'give the host name or the IPv4 address as in `gluster volume geo-replication status`, without a user and without ::',
  })
}

/** The name of the user of a session that does not run as root, safe in `user@host::volume`. Throws UsageError. */
export function parseUserName(text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(text)) return text
  throw new UsageError(`${shown(text)} is not the name of a user`, {
    hint: 'give the user of the session as in `gluster volume geo-replication status`, e.g. geoaccount',
  })
}
