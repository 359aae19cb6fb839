import { execa } from 'execa'

const script = '/usr/lib/x86_64-linux-gnu/glusterfs/scripts/schedule_georep.py'

/** Half as long again as it takes; where Gluster has lost its own events it would wait for ever, since it looks and never starts anew. */
const longestSeconds = 110

/** What coreutils' `timeout` ends with when it had to end the script. */
const hung = 124

/**
 * Makes one cycle with Gluster's script, which `at` turns into a command on a node of the primary. False when it hung and was ended. Throws
 * where it fails otherwise, or when aborted.
 */
export async function cycleOfScript(
  pair: { primary: string; secondary: string },
  signal: AbortSignal,
  at: (...argv: [string, ...string[]]) => [string, ...string[]] = (...argv) => argv,
): Promise<boolean> {
  const { primary, secondary } = pair
  const [file, ...argv] = at(
    'timeout',
    String(longestSeconds),
    script,
    '--no-color',
    primary,
    'gs1',
    secondary,
  )
  const { exitCode, stderr } = await execa(file, argv, { cancelSignal: signal, reject: false })
  signal.throwIfAborted()
  if (exitCode === 0 || exitCode === hung) return exitCode === 0
  throw new Error(`schedule_georep.py ended with ${exitCode}: ${stderr}`)
}
