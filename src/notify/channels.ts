import type { Config } from '../config/keys.ts'
import type { Clock } from '../run/clock.ts'
import type { Channel } from './channel.ts'
import { type Announce, createEngineEvents } from './engine-event.ts'
import { createMail } from './mail.ts'
import type { ChannelKind } from './routing.ts'
import { createWebhook } from './webhook.ts'

export type Channels = Record<ChannelKind, Channel>

/** What the ways of telling are made of. */
export interface Means {
  config: Pick<Config, 'mail' | 'routes'>
  clock: Pick<Clock, 'now'>
  announce: Announce
}

export function createChannels({ config, clock, announce }: Means): Channels {
  return {
    mail: createMail(config.mail),
    webhook: createWebhook(config.routes, clock),
    engine: createEngineEvents(announce),
  }
}
