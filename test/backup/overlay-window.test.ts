import { expect, test } from 'vitest'
import { createStage } from '../support/stage.ts'
import { aVm } from '../support/vms.ts'
import { intercepted } from './intercept.ts'

/** What is asked of the replication from the first request for a snapshot to the first for a merge, in a run of so many VMs. */
async function askedWhileOnOverlays(vms: number): Promise<string[]> {
  await using stage = await createStage(Array.from({ length: vms }, (_, index) => aVm(`vm${index}`)))
  const asked: string[] = []
  const note = (method: string, act: () => Promise<unknown>): Promise<unknown> => {
    asked.push(method)
    return act()
  }
  stage.engine.hypervisor = intercepted(stage.engine.hypervisor, note)
  const ofEngine = new Set(Object.keys(stage.engine.hypervisor))
  stage.replicated.replication = intercepted(stage.replicated.replication, note)
  const { outcome } = await stage.run()
  expect(outcome).toBe('protected')
  const window = asked.slice(asked.indexOf('takeSnapshot'), asked.indexOf('removeSnapshot'))
  return window.filter((method) => !ofEngine.has(method))
}

test('the VM whose overlay is the oldest is merged first', async () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  await using stage = await createStage(names.map((name) => aVm(name)))
  const { takeSnapshot, removeSnapshot } = stage.engine.hypervisor
  const acts: string[] = []
  stage.engine.hypervisor.takeSnapshot = (vm, ...more) => {
    acts.push(`take ${vm.name}`)
    return takeSnapshot.call(stage.engine.hypervisor, vm, ...more)
  }
  stage.engine.hypervisor.removeSnapshot = (vm, ...more) => {
    acts.push(`merge ${vm.name}`)
    return removeSnapshot.call(stage.engine.hypervisor, vm, ...more)
  }
  await stage.run({ snapshotsAtOnce: 1, mergesAtOnce: 1 })
  expect(acts).toHaveLength(10)
  expect(acts.slice(5)).toEqual(acts.slice(0, 5).map((act) => act.replace('take', 'merge')))
})

test('while guests run on overlays nothing is mounted or unmounted, and replication is asked for one turn only, however many VMs', async () => {
  const turn = ['mark', 'start', 'marked', 'nudge', 'progress', 'stop', 'session']
  expect(await askedWhileOnOverlays(1)).toEqual(turn)
  expect(await askedWhileOnOverlays(7)).toEqual(turn)
})
