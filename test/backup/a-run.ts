import type { RunEvent } from '../../src/run/event.ts'
import { Ledger } from '../../src/run/ledger.ts'
import type { Run } from '../../src/run/run.ts'
import { fakeClock } from '../support/stage.ts'

/** A run for one step alone, with a ledger in memory and a clock that goes on by what is slept. */
export function aRun(change: Partial<Run> = {}): Run & { events: RunEvent[] } {
  const ledger = new Ledger(':memory:', 'pair')
  const events: RunEvent[] = []
  const id = change.id ?? '20261121T000000Z-00000000'
  return {
    id,
    startedAt: new Date('2026-11-21T00:00:00.000Z'),
    signal: new AbortController().signal,
    clock: fakeClock(),
    emit: (event) => void events.push(event),
    stateDir: '/nowhere',
    machine: { name: 'here', id: 'here', boot: 'now' },
    owe: (what) => ledger.owe(id, what),
    strike: (owed) => ledger.strike(owed),
    giveUp: () => undefined,
    owed: () => ledger.open(),
    owedElsewhere: () => [],
    note: (name, value) => ledger.note(name, value),
    recall: (name) => ledger.recall(name),
    step: async (_name, act) => act(),
    events,
    ...change,
  }
}
