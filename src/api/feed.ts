import type { AgentEvent, AgentView } from '../agent/agent.ts'
import { TurnedAway } from './faults.ts'

/** An event as it is sent: made into text once, however many listen. */
export interface Told {
  id: string
  kind: AgentEvent['kind']
  json: string
}

export interface FeedLimits {
  /** How many may listen at once. */
  mostListeners: number
  /** Characters that may wait for one listener. */
  mostWaiting: number
}

/** The events of the agent, for all who listen to them. Ends all of them when disposed. */
export interface Feed extends Disposable {
  /** Throws TurnedAway when too many listen already. */
  listen(job: string | undefined): Listener
}

/** What one listener has not taken yet. Ends when it is disposed, or when more waits than may. */
interface Listener extends AsyncIterable<Told>, Disposable {
  /** Nothing more comes. */
  readonly ended: Promise<void>
}

/** Watches the agent. What is told while nobody listens is told to nobody: a listener that comes asks first what there is. */
export function openFeed(agent: AgentView, limits: FeedLimits): Feed {
  const queues = new Set<Queue>()
  let told = 0
  const tell = (event: AgentEvent) => {
    if (queues.size === 0) return
    told += 1
    const one = { id: String(told), kind: event.kind, json: JSON.stringify(event) }
    for (const queue of queues) if (queue.wants(event)) queue.push(one)
  }
  const unwatch = agent.watch(tell)
  return {
    listen: (job) => {
      if (queues.size >= limits.mostListeners) {
        throw new TurnedAway(503, `${queues.size} clients listen to events already`, {
          hint: 'end some of them, or ask for the status from time to time',
        })
      }
      const queue = new Queue(job, limits.mostWaiting, () => queues.delete(queue))
      queues.add(queue)
      // What it has asked before may be old by now.
      queue.push({ id: String(told), kind: 'changed', json: JSON.stringify({ kind: 'changed' }) })
      return queue
    },
    [Symbol.dispose]: () => {
      unwatch()
      for (const queue of queues) queue[Symbol.dispose]()
    },
  }
}

class Queue implements Listener {
  readonly ended: Promise<void>
  #isEnded = false
  readonly #end: () => void
  readonly #job: string | undefined
  readonly #most: number
  readonly #leave: () => void
  readonly #waiting: Told[] = []
  #characters = 0
  #wake: (() => void) | undefined

  constructor(job: string | undefined, most: number, leave: () => void) {
    this.#job = job
    this.#most = most
    this.#leave = leave
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#end = resolve
  }

  wants(event: AgentEvent): boolean {
    return event.kind !== 'run' || this.#job === undefined || this.#job === event.job
  }

  push(one: Told): void {
    this.#characters += one.json.length
    // A single one passes, whatever its size: otherwise nobody ever got the report of a large run.
    if (this.#waiting.length > 0 && this.#characters > this.#most) {
      this[Symbol.dispose]()
      return
    }
    this.#waiting.push(one)
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Told> {
    while (!this.#isEnded) {
      const one = this.#waiting.shift()
      if (one !== undefined) {
        this.#characters -= one.json.length
        yield one
      } else {
        await new Promise<void>((wake) => {
          this.#wake = wake
        })
      }
    }
  }

  [Symbol.dispose](): void {
    this.#isEnded = true
    this.#waiting.length = 0
    this.#leave()
    this.#end()
    this.#wake?.()
  }
}
