import { expect, test } from 'vitest'
import { policiesOf } from '../../src/config/policies.ts'
import { UsageError } from '../../src/model/errors.ts'

const policy = (name: string, tag?: string) => ({ name, tag, rpoMs: 3_600_000 })

test('a policy has the tag that it names, else vmbackup- and its name', () => {
  expect(policiesOf({ policies: [policy('gold'), policy('silver', 'Tier2')] })).toEqual([
    { name: 'gold', tag: 'vmbackup-gold', rpoMs: 3_600_000 },
    { name: 'silver', tag: 'Tier2', rpoMs: 3_600_000 },
  ])
})

test('one tag cannot stand for two policies, nor for being kept out', () => {
  const read =
    (...policies: ReturnType<typeof policy>[]) =>
    () =>
      policiesOf({ policies })
  expect(read(policy('gold', 'tier'), policy('silver', 'TIER'))).toThrow(/it is that of \[policy gold\]/)
  expect(read(policy('none'))).toThrow(UsageError)
  expect(read(policy('gold', 'VmBackup-None'))).toThrow(/kept for VMs that are not to be protected/)
})
