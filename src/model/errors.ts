/** An error an operator can act on: `hint` says what to do now. The reason travels as `cause`. */
export class Failure extends Error {
  readonly hint: string | undefined

  constructor(message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = this.constructor.name
    this.hint = options.hint
  }
}

/** The run was stopped before anything was touched. */
export class Refused extends Failure {}

/** The command line or a configuration file is wrong. */
export class UsageError extends Failure {}

/** There is no job, VM, run or policy of that name. */
export class Unknown extends Failure {}

/** Another run holds the lock of this volume pair. */
export class Locked extends Failure {}

/** Something was waited for longer than allowed. */
export class TimedOut extends Failure {}

/** The operator or the system asked the run to end. */
export class Cancelled extends Failure {}

/** The engine answered with a fault, or not at all. `status` is the HTTP status, if there was an answer. */
export class EngineError extends Failure {
  readonly status: number | undefined

  constructor(message: string, options: { cause?: unknown; hint?: string; status?: number } = {}) {
    super(message, options)
    this.status = options.status
  }
}

/** A command ended badly, or said something that cannot be read. Never holds a secret. */
export class CommandFailed extends Failure {
  readonly argv: readonly string[]
  readonly exitCode: number | undefined

  constructor(
    message: string,
    options: { cause?: unknown; hint?: string; argv: readonly string[]; exitCode?: number | undefined },
  ) {
    super(message, options)
    this.argv = options.argv
    this.exitCode = options.exitCode
  }
}

/** True when the engine answered and said no: nothing was done. Without an answer nobody knows. */
export function saidNo(error: unknown): boolean {
  return error instanceof EngineError && error.status !== undefined && error.status < 500
}

/** True when the file system says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The messages of an error and of all its causes, outermost first, each said once. */
export function chainOf(error: unknown): string[] {
  const chain: string[] = []
  for (let cause = error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    const text = messageOf(cause)
    if (!chain.some((said) => said.includes(text))) chain.push(text)
  }
  return chain
}

/** The first hint found on an error or its causes. */
export function hintOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Failure && cause.hint !== undefined) return cause.hint
  }
  return undefined
}
