import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { RouteConfig } from '../../src/config/keys.ts'
import type { Channel } from '../../src/notify/channel.ts'
import type { Message } from '../../src/notify/compose.ts'
import { createNotifier, type NotifierOptions } from '../../src/notify/notifier.ts'
import { keyOf } from '../../src/notify/routing.ts'
import { aFolder } from '../run/a-folder.ts'
import { quietStatus } from '../support/quiet-status.ts'
import { HeldClock } from './a-clock.ts'

/** A notifier whose ways of telling are in memory: each receiver's inbox, and what becomes of what is sent there. */
export function aDesk(
  routes: readonly RouteConfig[],
  changes: Partial<NotifierOptions> & { foldAbove?: number } = {},
) {
  const clock = new HeldClock()
  const file = changes.file ?? join(aFolder(), 'agent.db')
  const inboxes = new Map<string, Message[]>()
  /** Thrown, or waited for, before a message is taken. */
  const faults = new Map<string, () => unknown>()
  const tries: string[] = []
  const channel: Channel = async (message, receiver) => {
    const key = keyOf(receiver)
    tries.push(key)
    await faults.get(key)?.()
    inboxes.set(key, [...(inboxes.get(key) ?? []), message])
  }
  const options: NotifierOptions = {
    // Nothing else of a configuration is looked at.
    config: {
      routes,
      jobs: [],
      daemon: { foldAbove: changes.foldAbove ?? 5 },
      mail: {},
    } as unknown as NotifierOptions['config'],
    clock,
    file,
    announce: async () => undefined,
    digest: () => ({ status: quietStatus, runs: [] }),
    channels: { mail: channel, webhook: channel, engine: channel },
    ...changes,
  }

  return {
    clock,
    file,
    faults,
    tries,
    titles: (key: string) => (inboxes.get(key) ?? []).map(({ title }) => title),
    inbox: (key: string) => inboxes.get(key) ?? [],
    /** Begins to work; `end` is a restart without a crash. */
    open() {
      const notifier = createNotifier(options)
      const stop = new AbortController()
      const worked = notifier.work(stop.signal)
      let isOpen = true
      const end = async () => {
        if (!isOpen) return
        isOpen = false
        stop.abort(new Error('the test is over'))
        await clock.pass(10_000)
        await worked
        notifier[Symbol.dispose]()
      }
      onTestFinished(end)
      return { notifier, end }
    },
  }
}
