import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { expectProtected, labFor } from './agent.ts'
import { flawsAfterRecover, isKilledAt } from './crash.ts'

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-crash', '--vms', '1', '--rate', '50')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

/** That the agent's next run protects every VM that it can, with nothing to tell. */
async function expectNextProtects(): Promise<void> {
  const { report } = await expectProtected(lab)
  expect(report).toMatchObject({ leftOpen: [], warnings: [] })
}

describe('a run on real Gluster that is killed at a write to its ledger', () => {
  const every = process.env['VMBACKUP_TEST_ALL'] === 'yes'

  // In turn: about to open its job, its first snapshots asked for, its session running, some of its snapshots merged.
  test.skipIf(every).each(['before:8', 'after:14', 'after:20', 'before:27'])(
    '%s leaves nothing after `recover`, and guests hold every acknowledged write',
    async (at) => {
      expect(await isKilledAt(lab, at)).toBe(true)
      expect(await flawsAfterRecover(lab)).toEqual([])
    },
  )

  test.skipIf(every)('is followed by one that protects', expectNextProtects)

  test.runIf(every)(
    'before and after each of them leaves nothing after `recover`, and the next run protects',
    { timeout: 6 * 3_600_000 },
    async () => {
      for (let write = 1; ; write += 1) {
        for (const when of ['before', 'after']) {
          const at = `${when}:${write}`
          if (!(await isKilledAt(lab, at))) return expect(write).toBeGreaterThan(30)
          expect([at, await flawsAfterRecover(lab)]).toEqual([at, []])
          await expectNextProtects()
          process.stdout.write(`killed ${at}: recovered, and the next run protected\n`)
        }
      }
    },
  )
})
