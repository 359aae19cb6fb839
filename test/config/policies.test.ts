import { expect, test } from 'vitest'
import { policiesOf } from '../../src/config/policies.ts'

const policy = (name: string, tag?: string) => ({ name, tag, rpoMs: 3_600_000 })

test('a policy has the tag that it names, else vmbackup- and its name', () => {
  expect(policiesOf({ policies: [policy('gold'), policy('silver', 'Tier2')] })).toEqual([
    { name: 'gold', tag: 'vmbackup-gold', rpoMs: 3_600_000 },
    { name: 'silver', tag: 'Tier2', rpoMs: 3_600_000 },
  ])
})
