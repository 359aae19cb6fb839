import { lstat, mkdir, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { Failure, isAbsent, Refused, UsageError } from '../model/errors.ts'

/**
 * Listens on a unix socket that its owner alone may open; a directory that is missing is made for the owner alone. The socket that a dead
 * process left is replaced. Throws Refused when a living one has it, and UsageError for a path that cannot be one.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  // The kernel cuts longer ones, or refuses them: unix(7).
  if (Buffer.byteLength(path) > 107) {
    throw new UsageError(`the path of the socket is too long: ${path}`, {
      hint: 'set [api] socket to a shorter one',
    })
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unusable(path, cause)
  })
  await clear(path)
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) =>
      reject(cause.code === 'EADDRINUSE' ? inUse(path) : unusable(path, cause))
    server.once('error', failed)
    // The socket gets its mode when it is made, so that nobody can be quicker; nothing else of this process runs in between.
    const before = process.umask(0o177)
    try {
      server.listen({ path }, () => {
        server.off('error', failed)
        resolve()
      })
    } finally {
      process.umask(before)
    }
  })
}

/** Removes the socket of a process that is gone. */
async function clear(path: string): Promise<void> {
  const there = await lstat(path).catch((cause: unknown) => {
    if (isAbsent(cause)) return undefined
    throw unusable(path, cause)
  })
  if (there === undefined) return
  if (!there.isSocket()) {
    throw new UsageError(`${path} is there, and is no socket`, { hint: 'set [api] socket to another path' })
  }
  if (await isAnswered(path)) throw inUse(path)
  await unlink(path).catch((cause: unknown) => {
    if (!isAbsent(cause)) throw unusable(path, cause)
  })
}

/** Whether a process listens there. One that cannot be asked counts as one. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = connect({ path })
    asking.once('connect', () => {
      asking.destroy()
      resolve(true)
    })
    asking.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')
    })
  })
}

function inUse(path: string): Refused {
  return new Refused(`another process listens on ${path}`, {
    hint: 'another agent runs on this machine already (vmbackup status asks it); end it, or set [api] socket to another path',
  })
}

function unusable(path: string, cause: unknown): Failure {
  return new Failure(`cannot listen on ${path}`, {
    cause,
    hint: 'check that its directory is writable, or set [api] socket to another path',
  })
}
