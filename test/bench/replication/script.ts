const script = '/usr/lib/x86_64-linux-gnu/glusterfs/scripts/schedule_georep.py'

/** Three times as long as it takes; where Gluster has lost its own events it would wait for ever, since it looks and never starts anew. */
const longestSeconds = 200

/** What coreutils' `timeout` ends with when it had to end the script. */
export const hung = 124

/** The argv of Gluster's script for one cycle, ended when it hangs; to be run on a node of the primary. */
export function scriptFor(primary: string, secondary: string): [string, ...string[]] {
  return ['timeout', String(longestSeconds), script, '--no-color', primary, 'gs1', secondary]
}
