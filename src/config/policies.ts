import type { Policy } from '../model/selection.ts'
import type { Config, PolicyConfig } from './keys.ts'

/** The tag in the engine by which a VM has the policy. */
export function tagOf({ name, tag }: Pick<PolicyConfig, 'name' | 'tag'>): string {
  return tag ?? `vmbackup-${name}`
}

/** The policies with their tags; readConfig has seen that no tag means two things. */
export function policiesOf({ policies }: Pick<Config, 'policies'>): Policy[] {
  return policies.map((policy) => ({ name: policy.name, tag: tagOf(policy), rpoMs: policy.rpoMs }))
}
