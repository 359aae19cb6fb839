import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isLoopback } from './agent-kinds.ts'
import { caFileProblem, readText } from './files.ts'
import type { Config, RouteConfig } from './keys.ts'
import { lookAtSecretFile } from './password.ts'
import type { Section } from './section.ts'

/** Whether a route can send anything, and what it needs for that. */
export async function checkRoute(route: RouteConfig, { mail }: Config, section: Section): Promise<void> {
  const { webhook, webhookSecret, webhookSecretFile } = route
  if (route.mail === undefined && webhook === undefined && route.engine === false) {
    section.wrong(undefined, 'has nothing to send to; set mail, webhook or engine')
  }
  if (route.severity === 'none' && route.digest === undefined) {
    section.doubtful('severity', 'is none and there is no digest, so nothing is ever sent')
  }
  const missing = (['server', 'from'] as const).filter((key) => mail[key] === undefined)
  if (route.mail !== undefined && missing.length > 0) {
    section.wrong('mail', `needs ${missing.join(' and ')} in [mail]`)
  }
  checkOnlyOne(section, { webhook_secret: webhookSecret, webhook_secret_file: webhookSecretFile })
  await checkSecretFile(section, 'webhook_secret_file', webhookSecretFile)
  const isSigned = webhookSecret !== undefined || webhookSecretFile !== undefined
  if (webhook !== undefined) checkWebhook(webhook, isSigned, section)
  else if (isSigned) section.doubtful(undefined, 'has a secret and no webhook that it would sign')
}

function checkWebhook(webhook: string, isSigned: boolean, section: Section): void {
  const { protocol, hostname } = new URL(webhook)
  if (protocol !== 'http:' || (!isSigned && isLoopback(hostname.replace(/^\[|\]$/g, '')))) return
  section.doubtful('webhook', 'is http: what is posted can be read and kept back on the way; use https')
}

/** Whether the mail server can be talked to as told. */
export async function checkMail(mail: Config['mail'], section: Section): Promise<void> {
  checkOnlyOne(section, { password: mail.password, password_file: mail.passwordFile })
  const key = mail.password === undefined ? 'password_file' : 'password'
  const hasPassword = mail.password !== undefined || mail.passwordFile !== undefined
  if (hasPassword && mail.userName === undefined) section.wrong(key, 'needs user_name')
  if (!hasPassword && mail.userName !== undefined)
    section.wrong('user_name', 'needs password_file or password')
  if (hasPassword && mail.tls === 'none') {
    section.wrong('tls', 'is none: the password would travel unencrypted')
  }
  await checkSecretFile(section, 'password_file', mail.passwordFile)
  const problem = mail.caFile && (await caFileProblem(mail.caFile))
  if (problem) section.wrong('ca_file', problem)
}

/** Whether the address for HTTP can be served without giving anything away. */
export async function checkApi(api: Config['api'], section: Section): Promise<void> {
  const { listen, certFile, keyFile } = api
  const given = { cert_file: certFile, key_file: keyFile }
  const missing = Object.entries(given).filter(([, path]) => path === undefined)
  if (listen !== undefined && !isLoopback(listen.host) && missing.length > 0) {
    const keys = missing.map(([key]) => key).join(' and ')
    section.wrong(
      'listen',
      `can be reached from other machines: tokens would travel unencrypted; needs ${keys}`,
    )
  } else if (missing.length === 1) {
    const [key] = Object.entries(given).find(([, path]) => path !== undefined) ?? []
    section.wrong(key, `needs ${missing[0]?.[0]}, too`)
  }
  const certificate = certFile && (await caFileProblem(certFile))
  if (certificate) section.wrong('cert_file', certificate)
  const isReadable = await checkSecretFile(section, 'key_file', keyFile)
  if (certFile === undefined || certificate || keyFile === undefined || !isReadable) return
  const key = await keyProblem(certFile, keyFile)
  if (key !== undefined) section.wrong('key_file', key)
}

async function keyProblem(certFile: string, keyFile: string): Promise<string | undefined> {
  const [certificate, key] = await Promise.all(
    [certFile, keyFile].map((path) => readText(path, 'file', 4 * 2 ** 20).then(({ text }) => text)),
  ).catch(() => [])
  if (certificate === undefined || key === undefined)
    return 'is not a key; allowed: PEM (-----BEGIN PRIVATE KEY-----)'
  try {
    const own = createPrivateKey(key)
    return new X509Certificate(certificate).checkPrivateKey(own) ? undefined : 'does not belong to cert_file'
  } catch {
    // Nothing of the key may get into a message.
    return 'is not a key; allowed: PEM (-----BEGIN PRIVATE KEY-----), without a password'
  }
}

function checkOnlyOne(section: Section, ways: Record<string, unknown>): void {
  const [first, ...more] = Object.keys(ways).filter((key) => ways[key] !== undefined)
  for (const key of more) section.wrong(key, `is set although ${first} is; keep one of them`)
}

/** True when there is such a file and it can be read. */
async function checkSecretFile(section: Section, key: string, path: string | undefined): Promise<boolean> {
  if (path === undefined) return false
  const { problem, warnings } = await lookAtSecretFile('the file', path)
  for (const warning of warnings) section.doubtful(key, warning)
  if (problem !== undefined) section.wrong(key, problem)
  return problem === undefined
}
