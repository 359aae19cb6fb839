import type { Config } from '../config/keys.ts'

interface MailError {
  /** The server's answer, such as 550. */
  responseCode?: number
  /** The word that it answered to, or CONN. */
  command?: string
  code?: string
  /** Of the system, where `code` is nodemailer's. */
  originalCode?: string
}

const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
const beforeAnyMail = new Set(['EDNS', 'ETLS', 'EAUTH', 'ENOAUTH', 'ECONFIG'])

/** Of OpenSSL and Node, all from before a mail is begun. */
const ofCertificates = /CERT|SIGNED|SIGNATURE|ALTNAME/

/** True where nobody can know whether the server has taken the mail: the line broke, or it said nothing more. */
export function mayHaveArrived(error: unknown): boolean {
  const { responseCode, code = '', originalCode = '' } = error as MailError
  if (responseCode !== undefined || beforeAnyMail.has(code)) return false
  return !neverConnected.has(originalCode) && !ofCertificates.test(originalCode)
}

/** What to do about it. */
export function mailHint(error: unknown, { tls, userName }: Config['mail']): string | undefined {
  const { responseCode, command, code, originalCode = '' } = error as MailError
  const isSignOn = code === 'EAUTH' || code === 'ENOAUTH' || responseCode === 530
  const isTls = code === 'ETLS' || ofCertificates.test(originalCode) || /TLS|SSL/.test(originalCode)
  const known: [boolean, string][] = [
    [
      isSignOn && userName === undefined,
      'the server wants a user: set user_name and password_file in [mail]',
    ],
    [isSignOn, 'check user_name and password_file in [mail]'],
    [isTls && tls === 'starttls', starttlsHint],
    [
      isTls,
      'set ca_file in [mail] to what signed its certificate; does it speak TLS from the start on this port?',
    ],
    [code === 'EDNS', 'the name of the server cannot be resolved: check server in [mail] and DNS'],
    [originalCode === 'ECONNREFUSED', 'nothing listens there: is the mail server running on this port?'],
    [code === 'ETIMEDOUT', 'is the mail server reachable from here? check the firewall and the port'],
    [command === 'MAIL FROM', 'the server does not take from in [mail] as a sender'],
    [command === 'RCPT TO', 'the server does not take this address: check mail in the route'],
  ]
  return known.find(([fits]) => fits)?.[1]
}

const starttlsHint =
  'set ca_file in [mail] to what signed its certificate; a server that offers no STARTTLS needs tls = tls or tls = none'
