import { expect, test } from 'vitest'
import { EngineError } from '../../src/model/errors.ts'
import type { Announcement } from '../../src/model/hypervisor.ts'
import { compose } from '../../src/notify/compose.ts'
import { createEngineEvents } from '../../src/notify/engine-event.ts'
import { anAlert } from './an-alert.ts'

const receiver = { route: 'ops', channel: 'engine' } as const
const noSignal = new AbortController().signal

function someMessage(id: string) {
  const letter = anAlert({
    id,
    severity: 'warning',
    title: 'web is late',
    text: 'It has\n\u001b[31mno point.',
  })
  const [message] = compose('engine ops', [{ seq: 1, letter, takenAt: 0, refusals: 0 }], [], 1).messages
  if (message === undefined) throw new Error('no message')
  return message
}

test('an event has the severity, all of the text on one line, and a number by which its repetition is known', async () => {
  const posted: [Announcement, number][] = []
  const channel = createEngineEvents(async (announcement, number) => void posted.push([announcement, number]))
  for (const id of ['a', 'a', 'b']) await channel(someMessage(id), receiver, noSignal)
  const [first, again, other] = posted
  expect(first?.[0].severity).toBe('warning')
  expect(first?.[0].text).toMatch(
    /^vmbackup: web is late\. It has \[31mno point\. When: 2026-11-21 11:59:00 UTC$/,
  )
  expect(again?.[1]).toBe(first?.[1])
  expect(other?.[1]).not.toBe(first?.[1])
  for (const [, number] of posted) {
    expect(Number.isInteger(number)).toBe(true)
    expect(number).toBeGreaterThanOrEqual(0)
    expect(number).toBeLessThan(2 ** 31)
  }
})

test.each([
  [
    new EngineError('no right', { status: 403, hint: 'give it' }),
    { certain: true, answered: true, hint: 'give it' },
  ],
  [new EngineError('away'), { certain: false, answered: false }],
])('an event that the engine does not take (%s) is tried again', async (error, expected) => {
  const channel = createEngineEvents(async () => {
    throw error
  })
  const thrown = await channel(someMessage('a'), receiver, noSignal).catch((one: unknown) => one)
  expect(thrown).toMatchObject({ ...expected, final: false })
})
