import type { RunEvent } from '../run/event.ts'

/** The event with a word before what it says, where several runs are told of side by side. */
export function labelEvent(event: RunEvent, label: string): RunEvent {
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
