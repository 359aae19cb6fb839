import { describe, expect, test } from 'vitest'
import { compose, foldingMs } from '../../src/notify/compose.ts'
import type { Letter } from '../../src/notify/letter.ts'
import type { Waiting } from '../../src/notify/outbox.ts'
import { anAlert } from './an-alert.ts'

function waiting(letters: readonly Partial<Letter>[], changes: Partial<Waiting> = {}): Waiting[] {
  return letters.map((letter, index) => ({
    seq: index + 1,
    letter: { ...anAlert(), ...letter },
    takenAt: 0,
    refusals: 0,
    ...changes,
  }))
}

const many = (count: number): Partial<Letter>[] =>
  Array.from({ length: count }, (_, n) => ({ title: `run ${n} failed` }))

describe('messages', () => {
  test('are one for each matter', () => {
    const all = waiting([
      { matter: 'a', title: 'one' },
      { matter: 'b', title: 'two' },
    ])
    expect(compose('mail ops', all, [], 5).messages.map(({ title }) => title)).toEqual(['one', 'two'])
  })

  test('about one matter are the newest one, which names those before it', () => {
    const breach = {
      matter: 'rpo web',
      kind: 'rpo breach',
      severity: 'alert',
      title: 'web is behind',
    } as const
    const clear = {
      matter: 'rpo web',
      kind: 'rpo clear',
      severity: 'normal',
      title: 'web is in time',
    } as const
    const [message, ...more] = compose('mail ops', waiting([breach, clear]), [], 5).messages
    expect(more).toEqual([])
    expect(message).toMatchObject({ kind: 'rpo clear', severity: 'normal', title: 'web is in time' })
    expect(message?.text).toMatch(/not sent until now:\n {2}2026-11-21 11:59:00 UTC {2}ALERT: web is behind/)
  })

  test('stay single up to fold_above, and are one beyond it', () => {
    expect(compose('mail ops', waiting(many(5)), [], 5).messages).toHaveLength(5)
    const [folded, ...more] = compose('mail ops', waiting(many(6)), [], 5).messages
    expect(more).toEqual([])
    expect(folded).toMatchObject({ kind: 'folded', title: '6 messages: 6 run not protected' })
    expect(folded?.parts).toHaveLength(6)
  })

  test('count those of the last ten minutes', () => {
    const sentAt = [1000, 2000, 3000]
    expect(compose('mail ops', waiting(many(2)), sentAt, 5).messages).toHaveLength(2)
    expect(compose('mail ops', waiting(many(3)), sentAt, 5).messages.map(({ kind }) => kind)).toEqual([
      'folded',
    ])
  })

  test('wait until the ten minutes are over when there is no room for even one', () => {
    const composed = compose('mail ops', waiting(many(1)), [4000, 1000, 2000, 3000, 5000], 5)
    expect(composed).toEqual({ messages: [], holdUntil: 1000 + foldingMs })
  })

  test('that are folded are counted by kind, the gravest named first, and no more than twenty named', () => {
    const grave = { severity: 'alert', kind: 'rpo breach', title: 'web is behind', matter: 'rpo' } as const
    const small = { severity: 'warning', kind: 'run missed', matter: 'm' } as const
    const letters = [...Array.from({ length: 30 }, (_, n) => ({ ...small, title: `missed ${n}` })), grave]
    const [folded] = compose('mail ops', waiting(letters), [], 1).messages
    expect(folded?.title).toBe('31 messages: 1 rpo breach, 30 run missed')
    expect(folded?.severity).toBe('alert')
    const lines = folded?.text.split('\n').filter((line) => line.startsWith('  ')) ?? []
    expect(lines[0]).toBe('  2026-11-21 11:59:00 UTC  ALERT: web is behind')
    expect(lines).toHaveLength(21)
    expect(lines.at(-1)).toBe('  and 11 more: 11 run missed')
  })

  test('that may have arrived go again as they were, whatever has come since', () => {
    const first = waiting([{ matter: 'a', id: 'x' }])
    const [before] = compose('mail ops', first, [], 5).messages
    const begun = first.map((one) => ({ ...one, message: before?.id ?? '' }))
    const later = waiting([{ matter: 'a', id: 'y' }]).map((one) => ({ ...one, seq: 2 }))
    const { messages } = compose('mail ops', [...begun, ...later], [], 5)
    expect(messages).toHaveLength(2)
    expect(messages[0]).toMatchObject({ id: before?.id, title: before?.title, text: before?.text })
  })

  test('have an id that depends on letters and receiver alone', () => {
    const id = (receiver: string, letters: Partial<Letter>[]) =>
      compose(receiver, waiting(letters), [], 9).messages[0]?.id
    const one = { id: 'x', matter: 'a' }
    expect(id('mail ops', [one])).toBe(id('mail ops', [{ ...one, title: 'other words' }]))
    expect(id('mail ops', [one])).not.toBe(id('mail night', [one]))
    expect(id('mail ops', [one])).not.toBe(id('mail ops', [one, { id: 'y', matter: 'a' }]))
  })

  test('that the receiver has said no to come after others', () => {
    const [bad] = waiting([{ title: 'bad' }], { refusals: 2 })
    const [good] = waiting([{ title: 'good' }])
    const both = [bad, good].flatMap((one, index) => (one ? [{ ...one, seq: index }] : []))
    expect(compose('webhook ops', both, [], 5).messages.map(({ title }) => title)).toEqual(['good', 'bad'])
  })

  test('that are summaries or tests are neither folded nor held', () => {
    const letters = [{ kind: 'digest', title: 'day' }, { kind: 'test', title: 'test' }, ...many(2)] as const
    const { messages } = compose('mail ops', waiting(letters), [1000], 1)
    expect(messages.map(({ title }) => title)).toEqual(['day', 'test'])
  })
})
