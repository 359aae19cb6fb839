import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** A machine that may run the agent, and since when it is up. */
export interface Machine {
  /** For people. */
  name: string
  id: string
  /** Another one after each start of its kernel. */
  boot: string
}

/** The machine of this process. */
export function thisMachine(): Machine {
  const name = hostname()
  // Clones of one image share the machine's id, containers may have none.
  const id = `${name}/${textOf('/etc/machine-id') ?? ''}`
  return { name, id, boot: textOf('/proc/sys/kernel/random/boot_id') ?? id }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
