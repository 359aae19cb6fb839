import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { createTransport } from 'nodemailer'
import type { Config } from '../config/keys.ts'
import { chainOf, hintOf, messageOf } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import { type Channel, NotSent } from './channel.ts'
import type { Message } from './compose.ts'
import { mailHint, mayHaveArrived } from './mail-trouble.ts'
import { secretText } from './secret-text.ts'
import { trustOf } from './trust.ts'
import { severityWord } from './wording.ts'

export interface MailTimes {
  /** For reaching the server and its greeting. */
  connectMs: number
  /** How long it may say nothing after that. */
  silenceMs: number
}

/**
 * Mail over SMTP, one for each address. Encrypted as the configuration says or not sent at all. The Message-ID is that of the
 * message, so that one which is sent again is known by it.
 */
export function createMail(
  mail: Config['mail'],
  { connectMs, silenceMs }: MailTimes = { connectMs: 30_000, silenceMs: 60_000 },
): Channel {
  const from = mail.from ?? `vmbackup@${hostname()}`
  return async (message, { to = '' }, signal) => {
    const { server, tls, userName: user } = mail
    if (server === undefined) {
      throw new NotSent('no mail server is set', { certain: true, hint: 'set server in [mail]' })
    }
    const doing = `could not send mail to ${to} by ${server.host}:${server.port}`
    const { pass, secureContext } = await prepared(mail, doing)
    const transport = createTransport({
      ...server,
      secure: tls === 'tls',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      tls: { secureContext },
      connectionTimeout: connectMs,
      greetingTimeout: connectMs,
      dnsTimeout: connectMs,
      socketTimeout: silenceMs,
      // Also where the server offers no sign-on: else somebody in between could make us do without.
      ...(user === undefined ? {} : { auth: { user, pass: pass ?? '' }, forceAuth: true }),
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    try {
      await transport.sendMail({ ...mailOf(message, from), to, signal })
    } catch (error) {
      throw notSent(error, doing, mail)
    }
  }
}

async function prepared(mail: Config['mail'], doing: string) {
  try {
    const pass = await secretText(
      { secret: mail.password, file: mail.passwordFile },
      'password file of [mail]',
    )
    return { pass, secureContext: await trustOf(mail.caFile) }
  } catch (error) {
    const hint = hintOf(error)
    throw new NotSent(`${doing}: ${messageOf(error)}`, { certain: true, ...(hint && { hint }) })
  }
}

/** Pure: a message as a mail in plain text. */
function mailOf(message: Message, from: string) {
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const word = severityWord(message)
  const thread = `<${threadOf(message.matter)}@${domain}>`
  return {
    from,
    subject: `[vmbackup] ${word === '' ? '' : `${word}: `}${oneLine(message.title, 200)}`,
    text: `${message.title}\n\n${message.text}\n\n-- \nvmbackup on ${hostname()}\n`,
    messageId: `<vmbackup.${message.id}@${domain}>`,
    // There is no such mail: what refers to one and the same belongs together.
    inReplyTo: thread,
    references: thread,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Vmbackup-Matter': oneLine(message.matter, 200),
      'X-Vmbackup-Kind': message.kind,
    },
  }
}

/** A name for a matter that may stand in a Message-ID. */
function threadOf(matter: string): string {
  return `vmbackup.matter.${createHash('sha256').update(matter).digest('hex').slice(0, 32)}`
}

// An error of nodemailer may carry what was said on the line, so only its words go on.
function notSent(error: unknown, doing: string, mail: Config['mail']): NotSent {
  const { responseCode } = error as { responseCode?: number }
  const hint = mailHint(error, mail)
  return new NotSent(`${doing}: ${oneLine(chainOf(error).join(': '), 300)}`, {
    certain: !mayHaveArrived(error),
    answered: responseCode !== undefined,
    ...(hint && { hint }),
  })
}
