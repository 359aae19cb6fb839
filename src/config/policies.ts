import { UsageError } from '../model/errors.ts'
import { keepOutTag, type Policy } from '../model/selection.ts'
import { shown } from '../model/shown.ts'
import type { Config } from './keys.ts'

/** The policies with their tags. Throws UsageError when a tag would mean two things. */
export function policiesOf({ policies }: Pick<Config, 'policies'>): Policy[] {
  const found = policies.map(({ name, tag, rpoMs }) => ({ name, tag: tag ?? `vmbackup-${name}`, rpoMs }))
  const taken = new Map([[keepOutTag, `kept for VMs that are not to be protected`]])
  for (const { name, tag } of found) {
    const by = taken.get(tag.toLowerCase())
    if (by !== undefined) {
      throw new UsageError(`[policy ${name}] cannot have the tag ${shown(tag)}: it is ${by}`, {
        hint: 'give it a tag of its own: tag = ... in that section',
      })
    }
    taken.set(tag.toLowerCase(), `that of [policy ${name}]`)
  }
  return found
}
