import { expect, test } from 'vitest'
import { beginProgress, foldProgress } from '../../src/agent/progress.ts'
import type { RunEvent } from '../../src/run/event.ts'

const pair = { primary: 'data', secondary: { host: 'gs1', volume: 'data-dr' } }
const shown = (...events: RunEvent[]) =>
  events.reduce((progress, event) => foldProgress(progress, event, 1000), beginProgress('nightly', pair, 0))

test('how long a run will still wait is shown while it is known, and with its step it goes', () => {
  const known: RunEvent = { kind: 'waiting', what: 'the checkpoint', leftMs: 180_000 }
  expect(shown(known)).toMatchObject({ waiting: 'the checkpoint', leftMs: 180_000 })
  expect(shown(known, { kind: 'waiting', what: 'the checkpoint' })).not.toHaveProperty('leftMs')
  expect(shown(known, { kind: 'step began', step: 'merge' })).not.toHaveProperty('leftMs')
})
