import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { slowingDown } from '../../src/lab/vms/pace.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

async function ratesDuring(writesPerSecond: number, mergeMs: number): Promise<number[]> {
  const rates: number[] = []
  const merge = () => new Promise<void>((resolve) => setTimeout(resolve, mergeMs))
  const done = slowingDown(writesPerSecond, async (rate) => rates.push(rate), merge)
  await vi.advanceTimersByTimeAsync(mergeMs)
  await done
  return rates
}

test('a quick merge leaves the guest at its pace', async () => {
  expect(await ratesDuring(300, 9_000)).toEqual([])
})

test('a long merge slows the guest step by step, and gives it its pace back', async () => {
  expect(await ratesDuring(300, 21_000)).toEqual([150, 75, 37.5, 300])
})

test('the guest is never brought to a stop', async () => {
  expect(await ratesDuring(20, 21_000)).toEqual([10, 10, 10, 20])
  expect(await ratesDuring(4, 11_000)).toEqual([4])
})

test('a merge that fails gives the guest its pace back too', async () => {
  const rates: number[] = []
  const merge = () =>
    new Promise<void>((_, reject) => setTimeout(() => reject(new Error('no space')), 12_000))
  const done = slowingDown(300, async (rate) => rates.push(rate), merge)
  const outcome = expect(done).rejects.toThrow('no space')
  await vi.advanceTimersByTimeAsync(12_000)
  await outcome
  expect(rates).toEqual([150, 300])
})
