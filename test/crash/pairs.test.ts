import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { litterOf } from '../backup/pairs-after.ts'
import { domain, otherDomain } from '../support/memory-hypervisor.ts'
import { createTwoPairs, openTwoPairs, type TwoPairs } from '../support/two-pairs.ts'
import { isKilled } from './kill.ts'

/** Of every VM, that what it runs on is there. */
function missingDisks({ engine, stages }: TwoPairs): string[] {
  const places = [domain, otherDomain].map(({ id }, at) => ({
    id,
    dir: stages[at]?.replicated.primaryDir ?? '',
  }))
  return engine.world.vms.flatMap((vm) =>
    vm.disks.flatMap(({ id, volume = '', domains }) => {
      const place = places.find((one) => domains.includes(one.id))
      const { data } = vdsmLayout.filesOf(place?.id ?? '', id, volume)
      return existsSync(join(place?.dir ?? '', data)) ? [] : [`${vm.name} has lost ${data}`]
    }),
  )
}

/** What is wrong with a world after a crash once each pair, in this order, was recovered alone, and no other was looked at again. */
async function flawsOf(root: string, order: readonly (0 | 1)[]): Promise<string[]> {
  const pairs = await openTwoPairs(root)
  const flaws: string[] = []
  for (const at of order) {
    const recovery = await pairs.stages[at].recover()
    if (recovery.outcome !== 'settled') flaws.push(`recover of ${at}: ${JSON.stringify(recovery)}`)
  }
  flaws.push(...(await litterOf(pairs)), ...missingDisks(pairs))
  for (const again of await pairs.recover())
    if (again.found.length > 0) flaws.push('a second recover found something')

  for (const next of await pairs.run()) {
    if (next.outcome !== 'protected') flaws.push(`the next run: ${JSON.stringify(next.error ?? next.vms)}`)
    if (next.warnings.length > 0) flaws.push(`the next run warns: ${next.warnings.join()}`)
  }
  return [...flaws, ...(await litterOf(pairs))]
}

/** The next run of the job settles by itself, both at once. */
async function flawsWithoutRecover(root: string): Promise<string[]> {
  const pairs = await openTwoPairs(root)
  const flaws: string[] = []
  for (const next of await pairs.run()) {
    if (next.outcome !== 'protected') flaws.push(`the next run: ${JSON.stringify(next.error ?? next.vms)}`)
    if (next.warnings.length > 0) flaws.push(`the next run warns: ${next.warnings.join()}`)
  }
  return [...flaws, ...(await litterOf(pairs)), ...missingDisks(pairs)]
}

const ways: Record<string, (root: string) => Promise<string[]>> = {
  'recover of the first pair and then of the second': (root) => flawsOf(root, [0, 1]),
  'recover of the second pair and then of the first': (root) => flawsOf(root, [1, 0]),
  'the next run of the job': flawsWithoutRecover,
}
const moments = ['before', 'after']

test.concurrent.each(moments)(
  'a run of two pairs killed right %s any of its writes to the ledger leaves nothing after recover of each, in any order, or after the next run',
  { timeout: 900_000 },
  async (when) => {
    const flaws: string[] = []
    const names = Object.keys(ways)
    let write = 1
    for (; ; write += 1) {
      await using world = await createTwoPairs()
      const at = `${when}:${write}`
      if (!(await isKilled('run-pairs-once.ts', [world.root], at, 'protected,protected'))) break
      // Every way meets every kind of write: what is written next is much the same.
      const name = names[write % names.length] ?? ''
      const found = (await ways[name]?.(world.root)) ?? []
      flaws.push(...found.map((flaw) => `killed ${at}, ${name}: ${flaw}`))
    }
    process.stdout.write(`a run of two pairs was killed right ${when} each of its ${write - 1} writes\n`)
    expect(flaws).toEqual([])
    expect(write).toBeGreaterThan(40)
  },
)
