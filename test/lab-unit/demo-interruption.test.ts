import { expect, test } from 'vitest'
import { Interruption, listenForInterruption } from '../../src/lab/demo/interruption.ts'

test('work that is not interrupted gives its outcome', async () => {
  using interruption = listenForInterruption()
  expect(() => interruption.check()).not.toThrow()
  expect(await interruption.orElse(Promise.resolve('done'))).toBe('done')
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends what waits, with exit code %i', async (name, exitCode) => {
  using interruption = listenForInterruption()
  const waiting = interruption.orElse(new Promise(() => undefined))
  process.emit(name, name)
  await expect(waiting).rejects.toThrow(new Interruption(name))
  await expect(waiting).rejects.toMatchObject({ exitCode })
  expect(() => interruption.check()).toThrow(name)
})

test('a second signal gives up at once', () => {
  const given: number[] = []
  using _interruption = listenForInterruption((exitCode) => given.push(exitCode))
  process.emit('SIGTERM', 'SIGTERM')
  expect(given).toEqual([])
  process.emit('SIGINT', 'SIGINT')
  expect(given).toEqual([130])
})

test('nobody listens any more once it is over', () => {
  const before = process.listenerCount('SIGINT')
  listenForInterruption()[Symbol.dispose]()
  expect(process.listenerCount('SIGINT')).toBe(before)
})
