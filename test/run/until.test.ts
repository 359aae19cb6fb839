import { expect, onTestFinished, test, vi } from 'vitest'
import { Cancelled, TimedOut } from '../../src/model/errors.ts'
import { type Clock, systemClock } from '../../src/run/clock.ts'
import { until } from '../../src/run/until.ts'
import { fakeClock } from '../support/stage.ts'

function countingClock(): Clock & { slept: number[] } {
  let now = 1_000
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    async sleep(ms, signal) {
      signal.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
}

function waitOn(clock: Clock, signal = new AbortController().signal) {
  return { what: 'the tide', clock, intervalMs: 100, deadlineMs: 1_000, signal }
}

test('what is there at the first look is returned without any sleep', async () => {
  const clock = countingClock()
  expect(await until(waitOn(clock), async () => 'there')).toBe('there')
  expect(clock.slept).toEqual([])
})

test('it sleeps once between two looks and not after the one that succeeds', async () => {
  const clock = countingClock()
  let looks = 0
  await until(waitOn(clock), async () => (++looks === 3 ? looks : undefined))
  expect(clock.slept).toEqual([100, 100])
})

test.each([false, 0, '', null])('%j is something seen', async (value) => {
  expect(await until(waitOn(countingClock()), async () => value)).toBe(value)
})

test('the deadline ends it with what was waited for, how long, what was seen last, and the hint', async () => {
  let looks = 0
  const wait = { ...waitOn(countingClock()), hint: 'look at the moon', lastSeen: () => `${looks} waves` }
  const waited = until(wait, async () => {
    looks += 1
    return undefined
  })
  await expect(waited).rejects.toThrow(
    new TimedOut('waited 1 s for the tide; last seen: 11 waves', { hint: 'look at the moon' }),
  )
  expect(looks).toBe(11)
})

test('it looks at least once, however short the deadline', async () => {
  const wait = { ...waitOn(countingClock()), deadlineMs: 0 }
  expect(await until(wait, async () => 'there')).toBe('there')
})

test('what a look throws ends the wait', async () => {
  const broken = until(waitOn(countingClock()), () => Promise.reject(new Error('no sea')))
  await expect(broken).rejects.toThrow('no sea')
})

test('an abort while it sleeps ends it at once with the reason of the signal', async () => {
  const controller = new AbortController()
  const reason = new Cancelled('SIGTERM')
  const wait = { ...waitOn(systemClock, controller.signal), intervalMs: 60_000, deadlineMs: 600_000 }
  const waited = until(wait, async () => {
    setImmediate(() => controller.abort(reason))
    return undefined
  })
  await expect(waited).rejects.toBe(reason)
})

test('after an abort it does not look at all', async () => {
  const reason = new Cancelled('SIGTERM')
  let looks = 0
  const waited = until(waitOn(countingClock(), AbortSignal.abort(reason)), async () => ++looks)
  await expect(waited).rejects.toBe(reason)
  expect(looks).toBe(0)
})

test('a look that hangs is left some time after the signal was aborted, one that ends is waited for', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const wait = (signal: AbortSignal, look: () => Promise<true | undefined>) =>
    until({ what: 'a file system', clock: fakeClock(), intervalMs: 1, deadlineMs: 60_000, signal }, look)
  const hanging = new AbortController()
  const stuck = wait(hanging.signal, () => new Promise(() => undefined))
  const failed = expect(stuck).rejects.toThrow('told to end')
  hanging.abort(new Error('told to end'))
  await vi.advanceTimersByTimeAsync(30_000)
  await failed

  const acting = new AbortController()
  let acted = false
  const act = wait(acting.signal, async () => {
    await new Promise((done) => setTimeout(done, 5_000))
    acted = true
    return true
  })
  acting.abort(new Error('told to end'))
  await vi.advanceTimersByTimeAsync(5_000)
  expect([await act, acted]).toEqual([true, true])
})
