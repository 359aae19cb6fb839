import assert from 'node:assert/strict'
import { compose } from '../../src/notify/compose.ts'
import { letterIn } from '../../src/notify/letter.ts'
import { likeJson } from './hostile-json.ts'
import { checkLine, type Parser, parser } from './parser.ts'

const letter = {
  id: 'rpo data vm-1',
  matter: 'rpo data vm-1',
  kind: 'rpo breach',
  severity: 'alert',
  at: 1_795_262_400_000,
  job: 'data',
  vm: 'web',
  run: '2026-11-21',
  title: 'web is behind its RPO',
  text: 'Its newest point is of noon.\n  Look at the engine.',
}

export const outboxParsers: Parser[] = [
  parser('letter of the outbox', {
    input: likeJson(letter, { ...letter, kind: 'digest' }),
    read: (text) => {
      const waiting = [1, 2].map((seq) => ({ seq, letter: letterIn(text, 'id'), takenAt: 0, refusals: 0 }))
      const [other] = waiting
      const apart = other && {
        ...other,
        seq: 3,
        letter: { ...other.letter, matter: 'another', kind: 'trouble' as const },
      }
      return [waiting, [...waiting, ...(apart ? [apart] : [])]].flatMap(
        (some) => compose('mail ops', some, [], 1).messages,
      )
    },
    refusal: 'none',
    holds: (messages) => {
      assert.ok(messages.length >= 2)
      for (const { title, text } of messages) {
        checkLine(title)
        for (const line of text.slice(0, 1900).split('\n')) checkLine(`: ${line}`)
        assert.ok(text.length < 50_000)
      }
    },
  }),
]
