import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { hintOf, messageOf, Unknown } from '../model/errors.ts'
import { createChannels, type Means } from './channels.ts'
import { compose } from './compose.ts'
import type { Letter } from './letter.ts'
import { keyOf, type Receiver, receiversIn } from './routing.ts'

/** How a test message went. */
export interface TestResult {
  receiver: Receiver
  /** Absent when it was sent. */
  why?: string
  hint?: string
}

/**
 * Sends a test message to every receiver of the route, or of all routes, now and without the outbox; says for each whether
 * it took it. Throws Unknown for a route that there is not.
 */
export async function sendTest(
  means: Means,
  route: string | undefined,
  signal: AbortSignal,
): Promise<TestResult[]> {
  const routes = means.config.routes.filter(({ name }) => route === undefined || name === route)
  if (route !== undefined && routes.length === 0) throw new Unknown(`there is no route ${route}`)
  const channels = createChannels(means)
  const letter = testLetter(means.clock.now())
  return Promise.all(
    routes.flatMap(receiversIn).map(async (receiver) => {
      try {
        const parts = [{ seq: 1, letter, takenAt: letter.at, refusals: 0 }]
        for (const message of compose(keyOf(receiver), parts, [], 1).messages) {
          await channels[receiver.channel](message, receiver, signal)
        }
        return { receiver }
      } catch (error) {
        const hint = hintOf(error)
        return { receiver, why: messageOf(error), ...(hint === undefined ? {} : { hint }) }
      }
    }),
  )
}

function testLetter(at: number): Letter {
  return {
    id: `test ${randomUUID()}`,
    matter: 'test',
    kind: 'test',
    severity: 'normal',
    at,
    title: `test message from ${hostname()}`,
    text: 'Nothing is wrong. Somebody wanted to see whether messages of vmbackup arrive here.',
  }
}
