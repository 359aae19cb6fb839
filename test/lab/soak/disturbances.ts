import { setTimeout as pause } from 'node:timers/promises'
import type { LabClient } from '../../../src/lab/client.ts'
import { inNode } from '../agent.ts'
import type { Random } from './random.ts'

/** Something that goes wrong around a run. */
export interface Disturbance {
  name: string
  /** Not before this is certain any more: which writes a guest that dies has lost. */
  movesGuests?: true
  /** Is begun with the run and told when the run has ended; leaves the lab as it was. */
  during(lab: LabClient, random: Random, ended: AbortSignal): Promise<void>
}

/** A run takes about so long on a lab. */
const runMs = 35_000

/** The engine's own faults; what is left of them when the run has ended is taken back. */
function fault(name: string, order: (random: Random) => object): Disturbance {
  return {
    name,
    async during(lab, random) {
      await lab.control('POST', '/faults', order(random))
    },
  }
}

/** Begins at some moment, and is healed after some seconds. */
function episode(
  name: string,
  begin: (lab: LabClient, random: Random) => Promise<unknown>,
  heal: (lab: LabClient) => Promise<unknown>,
  more: { movesGuests?: true } = {},
): Disturbance {
  return {
    name,
    ...more,
    async during(lab, random, ended) {
      await pause(random.upTo(runMs), undefined, { signal: ended }).catch(() => undefined)
      if (ended.aborted) return
      await begin(lab, random)
      // Longer than Gluster takes to notice, shorter than anybody gives up.
      await pause(4_000 + random.upTo(12_000))
      await heal(lab)
    },
  }
}

const doing = (node: string, script: string) => (lab: LabClient) => inNode(lab, node, script)
const requests = { at: 'request', match: { path: '.*/api.*' } } as const
const snapshots = { match: { method: 'POST|DELETE', path: '.*/snapshots.*' } } as const

/** A running guest that the agent protects, drawn anew. */
async function aGuest(lab: LabClient, random: Random): Promise<string> {
  const { vms } = await lab.world()
  const running = vms.filter(({ status, name }) => status === 'up' && /^(vm|extra|special)/.test(name))
  return random.of(running.map(({ name }) => name))
}

function guestAct(act: string, back: string, body: object = {}): Disturbance {
  let name = ''
  return episode(
    `a guest: ${act}`,
    async (lab, random) => {
      name = await aGuest(lab, random)
      // What the engine refuses at that moment, a migration during a snapshot say, does not happen.
      await lab.control('POST', `/vms/${name}/${act}`, body).catch(() => undefined)
    },
    async (lab) => {
      if (back !== '') await lab.control('POST', `/vms/${name}/${back}`, {}).catch(() => undefined)
    },
    { movesGuests: true },
  )
}

function killing(name: string, signal: string): Disturbance {
  return {
    name,
    async during(lab, random, ended) {
      await pause(random.upTo(runMs), undefined, { signal: ended }).catch(() => undefined)
      if (ended.aborted) return
      // Only inside of the node, where nothing else is called so; the brackets keep it from finding itself.
      await inNode(lab, 'gp1', `pkill -${signal} -f '[s]rc/main.ts' || true`)
    },
  }
}

export const kill = killing('kill -9', 'KILL')
export const disturbances: readonly Disturbance[] = [
  killing('SIGTERM', 'TERM'),
  fault('engine: 503 for a while', (random) => ({
    ...requests,
    effect: {
      kind: 'status',
      status: 503,
      body: '<html><title>503</title></html>',
      contentType: 'text/html',
    },
    times: 4,
    skip: random.upTo(60),
  })),
  fault('engine: connections drop', (random) => ({
    ...requests,
    effect: { kind: 'drop' },
    times: 3,
    skip: random.upTo(60),
  })),
  fault('engine: an answer gets lost', (random) => ({
    at: 'response',
    ...snapshots,
    effect: { kind: 'drop' },
    skip: random.upTo(4),
  })),
  fault('engine: 409 storm', (random) => ({
    at: 'request',
    ...snapshots,
    effect: { kind: 'conflict' },
    times: 5,
    skip: random.upTo(4),
  })),
  fault('engine: HTML 401', (random) => ({
    ...requests,
    effect: { kind: 'html 401' },
    skip: random.upTo(60),
  })),
  episode(
    'engine: all tokens end',
    (lab) => lab.control('DELETE', '/tokens'),
    async () => undefined,
  ),
  fault('engine: jobs vanish', () => ({ at: 'job', effect: 'vanishes', times: 3 })),
  fault('engine: merges fail', (random) => ({ at: 'merge', effect: 'fails', times: 1 + random.upTo(4) })),
  fault('engine: a merge fails late', () => ({ at: 'merge', effect: 'fails late' })),
  fault('engine: the row stays after a merge', () => ({ at: 'merge', effect: 'row stays' })),
  fault('engine: a snapshot fails', () => ({ at: 'snapshot', effect: 'fails' })),
  fault('engine: a live snapshot fails', () => ({ at: 'live', effect: 'fails' })),
  fault('engine: a live snapshot fails in use', () => ({ at: 'live', effect: 'fails in use' })),
  fault('engine: a freeze hangs', () => ({ at: 'freeze', effect: 'hangs', ms: 20_000 })),
  fault('engine: a freeze fails frozen', () => ({ at: 'freeze', effect: 'fails frozen' })),
  guestAct('crash', 'start'),
  guestAct('stop', 'start'),
  guestAct('migrate', ''),
  guestAct('pause', 'resume', { reason: 'no space' }),
  episode(
    'sshd of the secondary is away',
    doing('gs1', 'pkill -x sshd || true'),
    doing('gs1', '/usr/sbin/sshd -E /var/log/glusterfs/sshd.log'),
  ),
  episode(
    'a brick of the secondary is away',
    doing('gs1', 'pkill -x glusterfsd || true'),
    doing('gs1', 'gluster --mode=script volume start data-dr force'),
  ),
  episode(
    'glusterd of the secondary is away',
    doing('gs1', 'pkill -x glusterd || true'),
    doing('gs1', 'glusterd -p /run/glusterd.pid'),
  ),
  episode(
    'glusterd of the primary is away',
    doing('gp1', 'pkill -x glusterd || true'),
    doing('gp1', 'glusterd -p /run/glusterd.pid'),
  ),
  episode(
    'the line to the secondary is down',
    doing('gs1', 'ip link set eth0 down'),
    doing('gs1', 'ip link set eth0 up'),
  ),
]
