import fc from 'fast-check'
import { expect, test } from 'vitest'
import { paceOf } from '../../src/point/pace.ts'
import { fakeClock } from '../support/stage.ts'

const { signal } = new AbortController()

test('in the long run no more is read than the rate allows, and one second more at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1e9 }),
      fc.array(fc.integer({ min: 1, max: 1e7 }), { minLength: 1, maxLength: 30 }),
      async (rate, reads) => {
        const clock = fakeClock()
        const begun = clock.now()
        const pace = paceOf(rate, clock)
        let read = 0
        for (const bytes of reads) {
          await pace.take(bytes, signal)
          read += bytes
          const seconds = (clock.now() - begun) / 1_000
          expect(read).toBeLessThanOrEqual((seconds + 1) * rate * (1 + 1e-6) + 1)
        }
      },
    ),
  )
})

test('readers that share a pace share its rate', async () => {
  const clock = fakeClock()
  const begun = clock.now()
  const pace = paceOf(1_000, clock)
  for (let turn = 0; turn < 5; turn += 1)
    await Promise.all([pace.take(1_000, signal), pace.take(1_000, signal)])
  expect(clock.now() - begun).toBeGreaterThanOrEqual(9_000)
})

test('without a rate nothing waits', async () => {
  const clock = fakeClock()
  const begun = clock.now()
  for (let turn = 0; turn < 100; turn += 1) await paceOf(undefined, clock).take(1e12, signal)
  expect(clock.now()).toBe(begun)
})

test('an aborted reader does not wait', async () => {
  await expect(
    paceOf(undefined, fakeClock()).take(1, AbortSignal.abort(new Error('enough'))),
  ).rejects.toThrow('enough')
})
