import { nameOfPair, type Pair } from '../model/pair.ts'
import type { RunEvent } from '../run/event.ts'

/** Says of which of a job's pairs an event is, by the pair's name, where the job has several: their runs are told of side by side. */
export function labelEvent(pairs: readonly Pair[], name: string, event: RunEvent): RunEvent {
  if (pairs.length < 2) return event
  const pair = pairs.find((one) => nameOfPair(one) === name)
  return withLabel(event, pair?.primary ?? name)
}

function withLabel(event: RunEvent, label: string): RunEvent {
  switch (event.kind) {
    case 'step began':
    case 'step ended':
      return { ...event, step: `${label}: ${event.step}` }
    case 'vm':
      return { ...event, vm: { ...event.vm, name: `${label}: ${event.vm.name}` } }
    case 'waiting':
    case 'settled':
    case 'left open':
      return { ...event, what: `${label}: ${event.what}` }
    case 'note':
      return { ...event, text: `${label}: ${event.text}` }
    default:
      return event
  }
}
