import { expect, test, vi } from 'vitest'
import { within } from '../../src/run/within.ts'

const never = () => new Promise<never>(() => undefined)

test('what ends in time is given as it is, also when the signal was aborted meanwhile', async () => {
  expect(await within(Promise.resolve(7), new AbortController().signal)).toBe(7)
  await expect(within(Promise.reject(new Error('broken')), new AbortController().signal)).rejects.toThrow(
    'broken',
  )
  expect(await within(Promise.resolve(7), AbortSignal.abort(new Error('late')), 1_000)).toBe(7)
})

test('what hangs is left after its grace, with the reason of the signal', async () => {
  vi.useFakeTimers()
  const controller = new AbortController()
  let failure: unknown
  void within(never(), controller.signal, 5_000).catch((error: unknown) => {
    failure = error
  })
  controller.abort(new Error('told to end'))
  await vi.advanceTimersByTimeAsync(4_999)
  expect(failure).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  expect(failure).toEqual(new Error('told to end'))
  vi.useRealTimers()
})
