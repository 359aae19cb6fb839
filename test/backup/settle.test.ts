import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aVm } from '../support/vms.ts'
import { type Intercept, intercepted } from './intercept.ts'

type Stage = Awaited<ReturnType<typeof createStage>>

/** From now on so many calls of the method fail. */
function letFail(stage: Stage, method: string, times: number): void {
  let left = times
  const between: Intercept = (name, act) => {
    if (name !== method || left === 0) return act()
    left -= 1
    return Promise.reject(new Error(`${method}: broken`))
  }
  stage.replicated.replication = intercepted(stage.replicated.replication, between)
}

function cancelAt(step: string): Parameters<Stage['run']>[1] {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    onEvent(event) {
      if (event.kind === 'step began' && event.step === step) controller.abort(new Cancelled('SIGTERM'))
    },
  }
}

test('an unmount that fails at the end of a good run is done by settling, and nothing that was proved is lost', async () => {
  await using stage = await createStage()
  letFail(stage, 'unmount', 4)
  const report = await stage.run()
  expect(report).toMatchObject({ outcome: 'protected', leftOpen: [] })
  expect(report.warnings.join()).toContain('is still mounted: unmount: broken')
  expect(stage.owed()).toEqual([])
})

test('a cancelled run is told as cancelled although an unmount failed on the way out', async () => {
  await using stage = await createStage()
  letFail(stage, 'unmount', 100)
  const report = await stage.run({}, cancelAt('replicate'))
  expect(report.outcome).toBe('cancelled')
  expect(stage.owed()).toEqual([])
})

test('a mount that settling made itself and cannot end is told, not only owed', async () => {
  await using stage = await createStage()
  letFail(stage, 'unmount', 100)
  letFail(stage, 'closeVolume', 100)
  const report = await stage.run({}, cancelAt('look again'))
  const mounts = stage.owed().filter((kind) => kind === 'mount')
  expect(mounts.length).toBeGreaterThan(0)
  expect(report.leftOpen.filter(({ what }) => what.startsWith('unmount'))).toHaveLength(mounts.length)
})

test('a session that cannot be stopped does not keep the snapshots from being merged', async () => {
  await using stage = await createStage()
  letFail(stage, 'stop', 1_000)
  const report = await stage.run()
  expect(report.outcome).toBe('failed')
  expect(
    stage.engine.world.vms.flatMap(({ snapshots }) => snapshots.filter(({ kind }) => kind === 'regular')),
  ).toEqual([])
  expect(report.leftOpen).toMatchObject([{ what: 'stop of the replication session' }])
})

test('an overlay stays on the secondary while its snapshot is not merged, whatever else is settled', async () => {
  await using stage = await createStage([aVm('db')])
  stage.engine.faults.merges['db'] = 1_000
  const report = await stage.run({}, cancelAt('look again'))
  expect(report.leftOpen.map(({ why }) => why)).toContain('kept until its snapshot is merged on the primary')
  const [disk] = stage.engine.world.vms[0]?.disks ?? []
  const overlay = vdsmLayout.filesOf(domain.id, disk?.id ?? '', disk?.volume ?? '')
  expect(overlay.inRemovalOrder.every((file) => existsSync(join(stage.replicated.secondaryDir, file)))).toBe(
    true,
  )
})

/** A run whose merge of VM db failed, and after it the engine shows that VM no more; returns the VM's disks. */
async function afterLosing(stage: Stage) {
  stage.engine.faults.merges['db'] = 1_000
  await stage.run()
  const { vms } = stage.engine.world
  const at = vms.findIndex(({ name }) => name === 'db')
  return vms.splice(at, 1)[0]?.disks ?? []
}

test('what is owed for a VM that was removed meanwhile, disks and all, is settled', async () => {
  await using stage = await createStage()
  for (const disk of await afterLosing(stage)) {
    await rm(join(stage.replicated.primaryDir, vdsmLayout.directoryOf(domain.id, disk.id)), {
      recursive: true,
    })
  }
  const report = await stage.run()
  expect(report.outcome).toBe('protected')
  expect(stage.owed()).toEqual([])
})

test('an overlay that the primary still has is kept on the secondary, although the engine shows its VM no more', async () => {
  await using stage = await createStage()
  const [disk] = await afterLosing(stage)
  const report = await stage.run()
  expect(report.outcome).toBe('protected')
  expect(report.warnings.join()).toContain('the overlays of VM db to be gone from the primary')
  expect(stage.owed()).toEqual(['overlays'])
  const { data } = vdsmLayout.filesOf(domain.id, disk?.id ?? '', disk?.volume ?? '')
  expect(existsSync(join(stage.replicated.secondaryDir, data))).toBe(true)
})

test('no VM is protected when somebody else lets the session run while its snapshot is merged', async () => {
  await using stage = await createStage()
  const { replication } = stage.replicated
  const report = await stage.run(
    {},
    {
      onEvent(event) {
        if (event.kind === 'step began' && event.step === 'merge')
          void replication.start(new AbortController().signal)
      },
    },
  )
  expect(report.vms.map(({ state }) => state)).toEqual(['failed', 'failed'])
})

test('an overlay stays on the secondary when the primary volume was made anew and is empty', async () => {
  await using stage = await createStage([aVm('db')])
  const [disk] = await afterLosing(stage)
  await rm(join(stage.replicated.primaryDir, domain.id), { recursive: true })
  const report = await stage.run()
  expect(report.warnings.join()).toContain('nothing of it is removed on the secondary')
  const overlay = vdsmLayout.filesOf(domain.id, disk?.id ?? '', disk?.volume ?? '')
  expect(existsSync(join(stage.replicated.secondaryDir, overlay.data))).toBe(true)
})

test('an engine that is away is asked once for all events that are owed, and told of all in one when it is back', async () => {
  await using stage = await createStage()
  const { hypervisor, faults, world } = stage.engine
  let asked = 0
  stage.engine.hypervisor = {
    ...hypervisor,
    announce(announcement, number, signal) {
      asked += 1
      return hypervisor.announce(announcement, number, signal)
    },
  }
  faults.failing.announce = 'no answer'
  const runs: string[] = []
  for (const _ of [1, 2, 3]) runs.push((await stage.run()).run)
  expect(stage.owed()).toEqual(['event', 'event', 'event'])
  asked = 0
  await stage.run()
  // For all three, and the run's own.
  expect(asked).toBe(2)
  delete faults.failing.announce
  await stage.run()
  expect(stage.owed()).toEqual([])
  expect(world.announced).toMatchObject([{ severity: 'alert' }, { severity: 'normal' }])
  for (const run of runs) expect(world.announced[0]?.text).toContain(run)
})
