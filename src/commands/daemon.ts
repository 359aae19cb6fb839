import type { AskedFor } from '../cli/asked.ts'
import { Failure } from '../model/errors.ts'
import type { Terminal } from './terminal.ts'

/** Is the agent until the signal ends it; returns the exit code. */
export async function daemon(_asked: AskedFor<'daemon'>, _terminal: Terminal): Promise<number> {
  throw new Failure('the agent is not built yet')
}
