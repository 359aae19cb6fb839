import { expect, test } from 'vitest'
import { openBook } from '../../src/agent/book.ts'
import { Troubles } from '../../src/agent/troubles.ts'
import { fakeClock } from '../support/stage.ts'

test('trouble with what is not looked at any more is forgotten: when it comes back, its trouble is told anew', () => {
  using book = openBook(':memory:')
  const told: string[] = []
  const troublesOf = (...matters: string[]) =>
    new Troubles(fakeClock(), ({ title }) => void told.push(title), {
      book,
      isLookedAt: (matter) => matters.includes(matter),
    })
  troublesOf('job a').met('job a', new Error('its volume is gone'), 0)
  expect(troublesOf('job b').list()).toEqual([])
  const again = troublesOf('job a')
  expect(again.list()).toEqual([])
  again.met('job a', new Error('something new'), 0)
  expect(told).toEqual(['job a: its volume is gone', 'job a: something new'])
})
