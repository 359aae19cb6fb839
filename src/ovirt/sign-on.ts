import { EngineError } from '../model/errors.ts'
import type { EngineAddress } from './address.ts'
import type { Answer } from './transport.ts'
import { faultIn, refusal } from './trouble.ts'

export interface Account {
  user: string
  /** Asked anew at each sign-on, so that a changed password is seen. */
  password: () => Promise<string>
}

/** Sends one form and gives its answer, with the retries of a safe request. */
export type SendForm = (
  url: string,
  form: Record<string, string>,
  doing: string,
  signal: AbortSignal,
) => Promise<Answer>

/** The token of one session with the engine; all who ask at once share one sign-on. */
export interface SignOn {
  token(signal: AbortSignal): Promise<string>
  /** Forgets a token that the engine refused, unless a newer one is there already. */
  refused(token: string): void
  /** Ends the session if there is one. */
  end(signal: AbortSignal): Promise<void>
}

const scope = 'ovirt-app-api'

/** Signs on with a password at the first use. Throws EngineError. */
export function createSignOn(address: EngineAddress, account: Account, sendForm: SendForm): SignOn {
  let current: Promise<string> | undefined
  let known: string | undefined

  async function signOn(signal: AbortSignal): Promise<string> {
    const doing = `sign on as ${account.user}`
    const password = await account.password()
    const form = { grant_type: 'password', scope, username: account.user, password }
    const answer = await sendForm(address.signOn, form, doing, signal)
    known = tokenIn(answer)
    if (known === undefined) throw signOnRefusal(answer, doing)
    return known
  }

  function shared(signal: AbortSignal): Promise<string> {
    const mine = signOn(signal)
    current = mine
    mine.catch(() => {
      if (current === mine) current = undefined
    })
    return mine
  }

  return {
    async token(signal) {
      if (current === undefined) return shared(signal)
      try {
        return await current
      } catch (error) {
        // The one who began the shared sign-on may have been cancelled; that is not our end.
        if (error instanceof EngineError || signal.aborted) throw error
        return shared(signal)
      }
    },
    refused(token) {
      if (known !== token) return
      known = undefined
      current = undefined
    },
    async end(signal) {
      if (known === undefined) return
      const token = known
      known = undefined
      current = undefined
      await sendForm(address.signOff, { scope, token }, 'sign off', signal)
    },
  }
}

function tokenIn(answer: Answer): string | undefined {
  if (answer.status !== 200) return undefined
  try {
    const body: unknown = JSON.parse(answer.text)
    const token = (body as { access_token?: unknown } | null)?.access_token
    // It becomes a header.
    return typeof token === 'string' && /^[\x21-\x7e]{1,8192}$/.test(token) ? token : undefined
  } catch {
    return undefined
  }
}

// A wrong password is HTTP 400, and some engines answer a fault with HTTP 200 (SsoService, the Python SDK reads both).
function signOnRefusal(answer: Answer, doing: string): EngineError {
  const said = faultIn(answer.text)
  if (said === undefined) return refusal(answer, doing)
  const status = answer.status === 200 ? 400 : answer.status
  return new EngineError(`could not ${doing}: ${said} (HTTP ${answer.status})`, {
    status,
    hint:
      'check user_name and the password; user_name ends in its profile: admin@internal, ' +
      'or admin@ovirt@internalsso on engines that sign on through Keycloak',
  })
}
