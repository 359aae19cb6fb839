import { EngineError } from '../model/errors.ts'
import type { Finding } from '../model/finding.ts'
import type { Http } from './http.ts'
import { isOlderThan, type Product, productIn } from './wire-product.ts'

/** What the engine says it is. */
export async function productOf(http: Http, signal: AbortSignal): Promise<Product> {
  return productIn(await http.get('', {}, 'ask the engine what it is', signal))
}

/** What is not as it should be with the connection, the engine and the account. */
export async function findingsOf(http: Http, verifyTls: boolean, signal: AbortSignal): Promise<Finding[]> {
  const product = await productOf(http, signal)
  return [
    ...connectionFindings(http.encrypted, verifyTls),
    ...versionFindings(product),
    ...(await accountFindings(http, signal)),
  ]
}

function connectionFindings(encrypted: boolean, verifyTls: boolean): Finding[] {
  const subject = 'connection to the engine'
  if (!encrypted) {
    const hint = 'use https in server'
    return [{ severity: 'warning', subject, what: 'the password travels in clear text', hint }]
  }
  if (verifyTls) return []
  const what = 'the certificate is not verified: whoever answers in place of the engine gets the password'
  return [
    { severity: 'warning', subject, what, hint: "set ca_file to the engine's CA and turn verification on" },
  ]
}

function versionFindings(product: Product): Finding[] {
  if (!isOlderThan(product, 4, 3)) return []
  const what = `${product.name} ${product.version} is older than 4.3, the oldest version this is made for`
  return [
    { severity: 'warning', subject: 'engine', what, hint: 'update the engine, or try a run by hand first' },
  ]
}

// Without the header `Filter`, only administrators may search (QueriesCommandBase): a search of nothing tells.
async function accountFindings(http: Http, signal: AbortSignal): Promise<Finding[]> {
  try {
    await http.get('/events', { search: 'correlation_id=vmbackup-none', max: 1 }, 'read the events', signal)
    return []
  } catch (error) {
    if (!(error instanceof EngineError) || error.status !== 403) throw error
    const hint =
      'give the account a role of type Admin on the whole system; README.md has the least that a backup needs'
    return [{ severity: 'error', subject: 'account at the engine', what: error.message, hint }]
  }
}
