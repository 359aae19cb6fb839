import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, expect, test } from 'vitest'
import { worldOf } from '../../src/lab/engine/inventory.ts'
import { createOtherClient } from '../../src/lab/engine/other-client.ts'
import { act } from '../../src/lab/engine/world/acts.ts'
import { boot } from '../../src/lab/engine/world/boot.ts'
import { proveImages } from '../../src/lab/vms/prover.ts'
import { createRealHost } from '../../src/lab/vms/real-host.ts'

// The simulated engine over real qemu on this machine's own file system: no Gluster, no namespaces.

const mib = 2 ** 20
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function anEngine() {
  const directory = await mkdtemp(join(tmpdir(), 'merges-'))
  cleanUps.push(() => rm(directory, { recursive: true }))
  const host = createRealHost({
    mount: directory,
    socketDir: join(directory, 's'),
    direct: false,
    writesPerSecond: 1000,
    maxSlotsPerDisk: 2000,
  })
  const timings = {
    snapshotVolumes: 0,
    snapshotLive: 0,
    lockRelease: 0,
    mergeStep: 0,
    mergedBeforeJobEnds: 0,
  }
  const world = worldOf(() => [{ name: 'vm', disks: [{}] }], {
    host,
    diskBytes: 32 * mib,
    settings: { timings },
  })
  cleanUps.push(() => world.close())
  await boot(world)
  const ask = createOtherClient(world)
  const vm = world.findVm('vm')
  const [image = ''] = vm?.attachments.keys() ?? []
  const disk = world.disks.get(image)
  if (vm === undefined || disk === undefined) throw new Error('no VM')
  const snapshots = `/vms/${vm.id}/snapshots`
  const written = async (more: number) => {
    const { acked } = await host.acked(vm.id)
    const look = async () => (await host.acked(vm.id)).acked
    await expect.poll(look, { timeout: 30_000, interval: 10 }).toBeGreaterThan(acked + more)
  }
  const file = (volume: string) => host.path({ image, volume })

  return {
    world,
    host,
    vm,
    written,
    /** The ids of the chain's volumes as the engine knows them, base first. */
    chain: () => disk.volumes.map(({ id }) => id),
    /** Takes a snapshot and lets the guest write; returns its path. */
    async snapshot() {
      const body = { description: 'x', persist_memorystate: false }
      const taken = (await ask({ method: 'POST', path: snapshots, body })) as { id: string }
      await world.idle()
      await written(300)
      return `${snapshots}/${taken.id}`
    },
    async merge(path: string) {
      await ask({ method: 'DELETE', path })
      await world.idle()
    },
    /** The volumes on the storage, by id. */
    async metas() {
      const names = (await readdir(join(file(''))))
        .filter((name) => name.endsWith('.meta'))
        .map((name) => name.slice(0, -'.meta'.length))
      const entries = names.map(async (name) => {
        const lines = (await readFile(`${file(name)}.meta`, 'utf8')).split('\n')
        const value = (key: string) => lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1)
        return [name, [value('VOLTYPE'), value('LEGALITY'), value('PUUID')]] as const
      })
      return Object.fromEntries(await Promise.all(entries))
    },
    async backing(volume: string) {
      const { stdout } = await execa('qemu-img', ['info', '-U', '--output=json', file(volume)])
      const info = JSON.parse(stdout) as Record<string, string>
      return [info['backing-filename'], info['backing-filename-format']]
    },
    /** Ends the VM and proves that its disk, read through its chain, is its last write. */
    async proveLast() {
      await act(world, 'vm', 'stop')
      const { acked } = await host.acked(vm.id)
      const top = disk.volumes.at(-1)
      const format = top?.format === 'cow' ? 'qcow2' : 'raw'
      expect(await proveImages([{ path: file(top?.id ?? ''), format }])).toEqual({
        verdict: 'exactly',
        n: acked,
      })
    },
  }
}

const none = '00000000-0000-0000-0000-000000000000'

test('of two stacked overlays the upper merges into the lower, then that into the base', async () => {
  const lab = await anEngine()
  const older = await lab.snapshot()
  const newer = await lab.snapshot()
  const [base = '', lower = ''] = lab.chain()
  await lab.merge(newer)
  expect(lab.chain()).toEqual([base, lower])
  expect(await lab.metas()).toEqual({
    [base]: ['INTERNAL', 'LEGAL', none],
    [lower]: ['LEAF', 'LEGAL', base],
  })
  await lab.written(200)
  await lab.merge(older)
  expect(lab.chain()).toEqual([base])
  expect(await lab.metas()).toEqual({ [base]: ['LEAF', 'LEGAL', none] })
  await lab.written(200)
  await lab.proveLast()
})

test('of two stacked overlays the lower merges first, and the upper then names the base, in .meta and header', async () => {
  const lab = await anEngine()
  const older = await lab.snapshot()
  const newer = await lab.snapshot()
  const [base = '', lower = '', upper = ''] = lab.chain()
  expect(await lab.backing(upper)).toEqual([lower, 'qcow2'])
  await lab.merge(older)
  expect(lab.chain()).toEqual([base, upper])
  expect(await lab.metas()).toEqual({
    [base]: ['INTERNAL', 'LEGAL', none],
    [upper]: ['LEAF', 'LEGAL', base],
  })
  expect(await lab.backing(upper)).toEqual([base, 'raw'])
  await lab.written(200)
  await lab.merge(newer)
  expect(await lab.metas()).toEqual({ [base]: ['LEAF', 'LEGAL', none] })
  await lab.proveLast()
})

test('a merge that failed late leaves the overlay illegal in its .meta, and asking again removes it', async () => {
  const lab = await anEngine()
  const snapshot = await lab.snapshot()
  const [base = '', overlay = ''] = lab.chain()
  lab.world.faults.arm({ at: 'merge', effect: 'fails late' })
  await lab.merge(snapshot)
  expect(await lab.metas()).toEqual({
    [base]: ['INTERNAL', 'LEGAL', none],
    [overlay]: ['LEAF', 'ILLEGAL', base],
  })
  await lab.written(200)
  await lab.merge(snapshot)
  expect(await lab.metas()).toEqual({ [base]: ['LEAF', 'LEGAL', none] })
  await lab.proveLast()
})

test('a merge that always failed leaves the chain whole and succeeds when the cause is gone', async () => {
  const lab = await anEngine()
  const snapshot = await lab.snapshot()
  const [base = '', overlay = ''] = lab.chain()
  const { id } = lab.world.faults.arm({ at: 'merge', effect: 'fails', times: 0 })
  await lab.merge(snapshot)
  await lab.merge(snapshot)
  expect(await lab.metas()).toEqual({
    [base]: ['INTERNAL', 'LEGAL', none],
    [overlay]: ['LEAF', 'LEGAL', base],
  })
  lab.world.faults.clear(id)
  await lab.merge(snapshot)
  expect(await lab.metas()).toEqual({ [base]: ['LEAF', 'LEGAL', none] })
  await lab.proveLast()
})

test('a disk plugged into a running VM takes part in its snapshots and merges', async () => {
  const lab = await anEngine()
  await act(lab.world, 'vm', 'hotplug')
  const snapshot = await lab.snapshot()
  await lab.merge(snapshot)
  const chains = [...lab.vm.attachments.keys()].map((id) => lab.world.disks.get(id)?.volumes.length)
  expect(chains).toEqual([1, 1])
  await lab.proveLast()
  await act(lab.world, 'vm', 'start')
  await lab.written(100)
})

test('a guest issues no write while it is frozen or paused, and none before both are over', async () => {
  const { host, vm, written } = await anEngine()
  await written(100)
  await host.freeze(vm.id)
  const still = await host.acked(vm.id)
  expect(still.flushed).toBe(still.acked)
  await expect(host.freeze(vm.id)).rejects.toThrow('already quiesced')
  await host.suspend(vm.id)
  await host.thaw(vm.id)
  const [stats] = await host.stats()
  expect(stats).toMatchObject({ isFrozen: false, isPaused: true, acked: still.acked })
  await host.resume(vm.id)
  await written(100)
})
