import { setTimeout as pause } from 'node:timers/promises'
import { createEngine as createLabEngine } from '../../src/lab/engine/engine.ts'
import { RequestLog } from '../../src/lab/engine/http/request-log.ts'
import { worldOf } from '../../src/lab/engine/inventory.ts'
import { RecordedHost } from '../../src/lab/engine/recorded-host.ts'
import { serve } from '../../src/lab/engine/serve-http.ts'
import { boot } from '../../src/lab/engine/world/boot.ts'
import { type Clock, systemClock } from '../../src/lab/engine/world/clock.ts'
import type { FaultSpec } from '../../src/lab/engine/world/faults.ts'
import type { Settings } from '../../src/lab/engine/world/settings.ts'
import { addTag, tagNamed } from '../../src/lab/engine/world/tags.ts'
import type { World } from '../../src/lab/engine/world/world.ts'
import { createEngine } from '../../src/ovirt/engine.ts'
import type { Misfortune, Subject } from './hypervisor-subject.ts'

/** What differs between engines of different versions. */
export type EngineAnswers = Pick<Settings, 'version' | 'createAnswers' | 'removedVanishes'>

const timings = {
  snapshotVolumes: 3,
  snapshotLive: 2,
  lockRelease: 3,
  mergeStep: 1,
  mergedBeforeJobEnds: 4,
  ovfUpdate: 3,
}
/** The client's pauses are so much shorter. */
const haste = 200

/** The real client against the simulated engine, over http on the loopback; with `tls` over https, for other clients. */
export async function createLabHypervisor(
  answers: EngineAnswers,
  more = 0,
  tls?: { key: string; cert: string },
) {
  const clock = heldClock()
  const world = worldOf((id) => vmsOf(id('domain-nfs'), more), {
    host: new RecordedHost(),
    clock,
    settings: { ...answers, timings },
  })
  await boot(world)
  const log = new RequestLog()
  const served = await serve(createLabEngine({ world, log }), {
    host: '127.0.0.1',
    port: 0,
    ...(tls && { tls }),
  })
  const connect = () =>
    createEngine({
      server: `${served.address}/ovirt-engine/api`,
      user: 'admin@internal',
      password: async () => 'secret',
      verifyTls: true,
      busyMs: 5_000,
      restartMs: 1_000,
      sleep: (ms, signal) => pause(ms / haste, undefined, { signal }),
    })
  const clients = [connect()] as const

  const subject: Subject = {
    hypervisor: clients[0],
    again: async () => connect(),
    hold: clock.hold,
    release: clock.release,
    fail: (vm, how) => {
      world.faults.arm(faults[how](vm))
    },
    removeVm: (name) => {
      world.vms.delete(world.findVm(name)?.id ?? '')
    },
    addTag: (name, below) => {
      addTag(world, { name, ...(below === undefined ? {} : { parent: tagNamed(world, below)?.id ?? below }) })
    },
    announced: () =>
      world.events
        .filter(({ origin }) => origin === 'vmbackup')
        .map(({ customId, severity, description }) => ({ number: customId, severity, text: description })),
    openSteps: (jobId) => openStepsOf(world, jobId),
    async [Symbol.asyncDispose]() {
      clock.release()
      await served[Symbol.asyncDispose]()
      await world.close()
      if (world.brokenWork.length > 0) throw new AggregateError(world.brokenWork, 'the lab broke')
    },
  }
  return { ...subject, world, log, served }
}

const faults = {
  'snapshot fails': (vm) => ({ at: 'snapshot', effect: 'fails', vm }),
  'snapshot is doubtful': (vm) => ({ at: 'live', effect: 'fails in use', vm }),
  'snapshot has no answer': () => ({
    at: 'response',
    match: { method: 'POST', path: '.*/snapshots.*' },
    effect: { kind: 'drop' },
  }),
  'merge fails': (vm) => ({ at: 'merge', effect: 'fails', vm }),
} satisfies Record<Misfortune, (vm: string) => FaultSpec>

function vmsOf(foreign: string, more: number) {
  return [
    { name: 'web', disks: [{}, {}] },
    { name: 'db', disks: [{}] },
    { name: 'idle', status: 'down' as const, disks: [{}] },
    { name: 'mixed', disks: [{}, { domain: foreign }] },
    { name: 'elsewhere', disks: [{ domain: foreign }] },
    ...Array.from({ length: more }, (_, index) => ({ name: `more${index}`, disks: [{}] })),
  ]
}

function openStepsOf(world: World, jobId: string): number {
  const steps = world.jobs.get(jobId)?.steps.values() ?? []
  return [...steps].filter(({ status }) => status === 'started').length
}

/** The machine's time, in which nothing that sleeps wakes up while it is held. */
function heldClock(): Clock & { hold(): void; release(): void } {
  let gate: PromiseWithResolvers<void> | undefined
  return {
    now: systemClock.now,
    async sleep(ms, signal) {
      await systemClock.sleep(ms, signal)
      await gate?.promise
      signal.throwIfAborted()
    },
    hold: () => {
      gate ??= Promise.withResolvers()
    },
    release: () => {
      gate?.resolve()
      gate = undefined
    },
  }
}
