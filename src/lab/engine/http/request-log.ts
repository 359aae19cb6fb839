/** One request that reached the engine. */
export interface LoggedRequest {
  at: Date
  method: string
  /** With the query, without the host. */
  path: string
  /** 0 when the connection was dropped. */
  status: number
  user: string | undefined
  correlationId: string | undefined
  /** Without secrets; undefined when empty. */
  body: string | undefined
}

/** All requests to the engine since it started or the log was cleared. */
export class RequestLog {
  readonly #entries: LoggedRequest[] = []

  add(entry: LoggedRequest): void {
    this.#entries.push(entry)
  }

  entries(): readonly LoggedRequest[] {
    return this.#entries
  }

  /** Requests that may change something: all but reads and signing on. */
  changes(): LoggedRequest[] {
    return this.#entries.filter(
      ({ method, path }) =>
        !['GET', 'HEAD', 'OPTIONS'].includes(method) && !/^\/ovirt-engine\/(sso|services)\//.test(path),
    )
  }

  clear(): void {
    this.#entries.length = 0
  }
}

/** A body or a path with the values of secret parameters struck out. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/\b(password|token|access_token)=[^&\s]*/gi, '$1=***')
    .replace(/("(?:[a-z_]*password|token)"\s*:\s*)"[^"]*"/gi, '$1"***"')
    .replace(/<([a-z_]*password)>[^<]*</gi, '<$1>***<')
}
