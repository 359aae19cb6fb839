import type { Paint } from '../cli/paint.ts'

/** What a command is given of its process. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly paintOut: Paint
  readonly paintErr: Paint
  readonly env: NodeJS.ProcessEnv
  /** Of this program. */
  readonly version: string
  /** Aborted by the first signal that asks the process to end; catches signals from the first time it is asked for. */
  signal(): AbortSignal
}
