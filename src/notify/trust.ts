import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { caFileProblem, readText } from '../config/files.ts'
import { UsageError } from '../model/errors.ts'

const mostBytes = 4 * 2 ** 20
let system: SecureContext | undefined

/** The authorities that may vouch for a server: those of the file, read anew at each call, else the system's. Throws UsageError. */
export async function trustOf(caFile: string | undefined): Promise<SecureContext> {
  if (caFile !== undefined) {
    const problem = await caFileProblem(caFile)
    if (problem !== undefined) throw new UsageError(`ca_file ${caFile} ${problem}`)
    return createSecureContext({ ca: (await readText(caFile, 'ca_file', mostBytes)).text })
  }
  // Node by itself trusts only the list it was built with, not what the site has installed.
  const known = () => [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
  system ??= createSecureContext({ ca: known() })
  return system
}
