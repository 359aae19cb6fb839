import { createEngine } from '../../../src/lab/engine/engine.ts'
import { RequestLog } from '../../../src/lab/engine/http/request-log.ts'
import { standardWorld } from '../../../src/lab/engine/inventory.ts'
import { RecordedHost } from '../../../src/lab/engine/recorded-host.ts'
import { serve } from '../../../src/lab/engine/serve-http.ts'
import { boot } from '../../../src/lab/engine/world/boot.ts'
import { type Clock, systemClock } from '../../../src/lab/engine/world/clock.ts'
import type { World } from '../../../src/lab/engine/world/world.ts'
import { answering } from './child.ts'
import { slotsOf } from './slots.ts'

/** How long the hosts' work takes on average: a snapshot 5 s, a merge 8 s; the VM's lock outlives them. */
const timings = {
  snapshotVolumes: 4000,
  snapshotLive: 1000,
  mergeStep: 1750,
  mergedBeforeJobEnds: 1000,
  lockRelease: 500,
}

export type EngineQuestion =
  | { start: { vms: number; key: string; cert: string } }
  | { requests: 'since the last question' }
  | { slots: { tags: string; parallel: number } }

/** What the engine was asked. */
export interface Requests {
  all: number
  /** Looks at VMs under way, and the requests that they took. */
  looks: number
  ofLooks: number
}

const log = new RequestLog()
let world: World | undefined

answering<EngineQuestion>(async (question) => {
  if ('start' in question) return start(question.start)
  if ('requests' in question) return requests()
  const { tags, parallel } = question.slots
  return slotsOf([...(world?.jobs.values() ?? [])], tags, parallel)
})

async function start({ vms, key, cert }: { vms: number; key: string; cert: string }): Promise<string> {
  const settings = { timings }
  world = standardWorld({
    host: new RecordedHost(),
    clock: uneven(),
    settings,
    vms,
    disks: 2,
    onlyPlain: true,
  })
  await boot(world)
  const served = await serve(createEngine({ world, log }), { host: '127.0.0.1', port: 0, tls: { key, cert } })
  return served.address
}

/** No two things take the same time: up to three tenths less or more, in an order that is always the same. */
function uneven(): Clock {
  let count = 0
  return {
    now: systemClock.now,
    sleep(ms, signal) {
      count += 1
      return systemClock.sleep(ms * (0.7 + 0.6 * ((count * 0.618) % 1)), signal)
    },
  }
}

/** Sign-on apart. */
function requests(): Requests {
  const paths = log
    .entries()
    .flatMap(({ method, path }) => (path.startsWith('/ovirt-engine/api') ? `${method} ${path}` : []))
  log.clear()
  const many = (part: RegExp): number => paths.filter((path) => part.test(path)).length
  const looks = many(/^GET .*\/events\?search=correlation_id%3Dvmb-/)
  const ofLooks = looks + many(/^GET .*\/vms\?search=id%3D/) + many(/^GET .*\/jobs(\?.*follow=steps|$)/)
  return { all: paths.length, looks, ofLooks }
}
