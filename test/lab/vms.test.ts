import { randomUUID } from 'node:crypto'
import { access, constants, copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, describe, expect, test } from 'vitest'
import type { OverlayRef, VmSpec } from '../../src/lab/vm-host.ts'
import { proveImages } from '../../src/lab/vms/prover.ts'
import { createRealHost, type RealHost } from '../../src/lab/vms/real-host.ts'
import type { DiskImage } from '../../src/lab/vms/source.ts'

const megabyte = 2 ** 20
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

type Format = 'raw' | 'cow'

async function aHost(): Promise<RealHost & { socketDir: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'vms-'))
  cleanUps.push(() => rm(directory, { recursive: true }))
  const direct = await supportsDirectIo(directory)
  const socketDir = join(directory, 's')
  const host = createRealHost({ mount: directory, socketDir, direct })
  cleanUps.push(() => host.close())
  await host.createDomain({ id: randomUUID(), pool: randomUUID(), description: 'lab' })
  return { ...host, socketDir }
}

async function supportsDirectIo(directory: string): Promise<boolean> {
  const path = join(directory, 'probe')
  await using file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_DIRECT).catch(
    () => undefined,
  )
  await rm(path, { force: true })
  return file !== undefined
}

async function aVm(host: RealHost, about: Partial<VmSpec> & { format?: Format } = {}): Promise<VmSpec> {
  const format = about.format ?? 'raw'
  const disks = [1, 2].map(() => ({ image: randomUUID(), chain: [{ volume: randomUUID(), format }] }))
  for (const [index, { image, chain }] of disks.entries()) {
    for (const each of chain)
      await host.createVolume({ image, ...each, sizeBytes: 64 * megabyte, alias: `d${index}` })
  }
  const vm = { id: randomUUID(), name: 'vm', disks, writesPerSecond: 2000, ...about }
  await host.start(vm)
  return vm
}

function overlaysOf(vm: VmSpec): OverlayRef[] {
  return vm.disks.map(({ image, chain }) => ({
    image,
    base: chain.at(-1)?.volume ?? '',
    overlay: randomUUID(),
  }))
}

async function snapshot(host: RealHost, vm: VmSpec): Promise<OverlayRef[]> {
  const overlays = overlaysOf(vm)
  for (const overlay of overlays) await host.createOverlay(overlay)
  await host.switchToOverlays(vm.id, overlays)
  return overlays
}

async function merge(host: RealHost, vm: VmSpec, overlays: OverlayRef[]): Promise<void> {
  for (const overlay of overlays) {
    await host.mergeLive(vm.id, overlay)
    await host.removeOverlay(overlay)
  }
}

function pathsOf(host: RealHost, vm: VmSpec): string[] {
  return vm.disks.map(({ image, chain }) => host.path({ image, volume: chain.at(-1)?.volume ?? '' }))
}

function imagesOf(host: RealHost, vm: VmSpec): DiskImage[] {
  return pathsOf(host, vm).map((path, index) => ({
    path,
    format: vm.disks[index]?.chain.at(-1)?.format === 'raw' ? 'raw' : 'qcow2',
  }))
}

function withChain(vm: VmSpec, overlays: OverlayRef[]): VmSpec {
  return {
    ...vm,
    disks: vm.disks.map(({ image, chain }, index) => ({
      image,
      chain: [...chain, { volume: overlays[index]?.overlay ?? '', format: 'cow' as const }],
    })),
  }
}

/** Waits until one of these files is written to. */
async function changed(paths: string[]): Promise<void> {
  const times = async () => (await Promise.all(paths.map((path) => stat(path)))).map(({ mtimeMs }) => mtimeMs)
  const before = await times()
  await expect.poll(times, { timeout: 30_000, interval: 1 }).not.toEqual(before)
}

/** Waits until the VM's guest wrote that much. */
async function written(host: RealHost, vm: VmSpec, atLeast: number): Promise<number> {
  let acked = 0
  const look = async () => {
    const count = await host.acked(vm.id)
    if (count.failure) throw new Error(count.failure)
    acked = count.acked
    return acked
  }
  await expect.poll(look, { timeout: 60_000, interval: 20 }).toBeGreaterThanOrEqual(atLeast)
  return acked
}

describe.each<Format>(['raw', 'cow'])('a VM with two %s disks', (format) => {
  test('has its bases frozen at one write in every snapshot, and every later write after the merge', async () => {
    const host = await aHost()
    const vm = await aVm(host, { format, guestAgent: true })
    let last = 0
    for (let round = 0; round < 5; round++) {
      const before = await written(host, vm, last + 300)
      const overlays = await snapshot(host, vm)
      const after = (await host.acked(vm.id)).acked
      const frozen = await proveImages(imagesOf(host, vm), { min: before, max: after + 1 })
      expect(frozen.verdict, JSON.stringify(frozen)).toBe('exactly')
      await written(host, vm, after + 200)
      expect(await proveImages(imagesOf(host, vm))).toEqual(frozen)
      await merge(host, vm, overlays)
      await host.freeze(vm.id)
      last = (await host.acked(vm.id)).acked
      expect(await proveImages(imagesOf(host, vm))).toEqual({ verdict: 'exactly', n: last })
      await host.thaw(vm.id)
    }
    await host.stop(vm.id)
    if (format === 'cow') for (const path of pathsOf(host, vm)) await execa('qemu-img', ['check', path])
  })

  test('keeps every flushed write when its process is killed during a merge, and merges after a restart', async () => {
    const host = await aHost()
    const vm = await aVm(host, { format })
    await written(host, vm, 300)
    const overlays = await snapshot(host, vm)
    await written(host, vm, 2000)
    const { flushed } = await host.acked(vm.id)
    const merges = Promise.allSettled(overlays.map((overlay) => host.mergeLive(vm.id, overlay)))
    await changed(pathsOf(host, vm))
    await host.crash(vm.id)
    expect((await merges).map(({ status }) => status)).toContain('rejected')
    await host.start(withChain(vm, overlays))
    const again = await host.acked(vm.id)
    expect(again).not.toHaveProperty('failure')
    expect(again.acked).toBeGreaterThanOrEqual(flushed)
    await merge(host, vm, overlays)
    await host.stop(vm.id)
    const { acked } = await host.acked(vm.id)
    expect(await proveImages(imagesOf(host, vm))).toEqual({ verdict: 'exactly', n: acked })
  })
})

test('a copy of running disks without a snapshot comes out torn', async () => {
  const host = await aHost()
  const vm = await aVm(host)
  const verdicts: string[] = []
  for (let round = 1; round <= 5; round++) {
    await written(host, vm, round * 300)
    const copies = await Promise.all(
      pathsOf(host, vm).map(async (path, index) => {
        const copy = join(tmpdir(), `${vm.id}-${index}`)
        cleanUps.push(() => rm(copy, { force: true }))
        await copyFile(path, copy)
        return { path: copy, format: 'raw' } as const
      }),
    )
    verdicts.push((await proveImages(copies)).verdict)
  }
  expect(verdicts).toContain('torn')
})

test('a frozen guest stands still at a flushed write until it is thawed', async () => {
  const host = await aHost()
  const vm = await aVm(host, { guestAgent: true })
  await written(host, vm, 100)
  await host.freeze(vm.id)
  const frozen = await host.acked(vm.id)
  expect(frozen.flushed).toBe(frozen.acked)
  const overlays = await snapshot(host, vm)
  expect(await proveImages(imagesOf(host, vm))).toEqual({ verdict: 'exactly', n: frozen.acked })
  expect((await host.acked(vm.id)).acked).toBe(frozen.acked)
  await host.thaw(vm.id)
  await written(host, vm, frozen.acked + 100)
  await merge(host, vm, overlays)
})

test('a guest without an agent cannot be frozen', async () => {
  const host = await aHost()
  const vm = await aVm(host)
  await expect(host.freeze(vm.id)).rejects.toThrow('guest agent')
})

test('a VM that is down has its overlays merged too, and goes on writing after it', async () => {
  const host = await aHost()
  const vm = await aVm(host)
  const before = await written(host, vm, 200)
  const overlays = await snapshot(host, vm)
  await written(host, vm, before + 400)
  await host.stop(vm.id)
  const { acked } = await host.acked(vm.id)
  for (const overlay of overlays) {
    await host.mergeCold(overlay)
    await host.removeOverlay(overlay)
  }
  expect(await proveImages(imagesOf(host, vm))).toEqual({ verdict: 'exactly', n: acked })
  await host.start(vm)
  await written(host, vm, acked + 100)
})

test.each(['live', 'cold'])('an overlay between base and another overlay is merged %s', async (how) => {
  const host = await aHost()
  const vm = await aVm(host)
  await written(host, vm, 200)
  const lower = await snapshot(host, vm)
  await written(host, vm, 400)
  const chained = withChain(vm, lower)
  const upper = await snapshot(host, chained)
  await written(host, vm, 600)
  if (how === 'cold') await host.stop(vm.id)
  for (const overlay of lower) {
    await (how === 'cold' ? host.mergeCold(overlay) : host.mergeLive(vm.id, overlay))
    await host.removeOverlay(overlay)
  }
  if (how === 'live') await host.stop(vm.id)
  const { acked } = await host.acked(vm.id)
  const merged = withChain(vm, upper)
  expect(await proveImages(imagesOf(host, merged))).toEqual({ verdict: 'exactly', n: acked })
  await host.start(merged)
  await written(host, vm, acked + 100)
})

test('a VM is refused a second start, and its image a second user', async () => {
  const host = await aHost()
  const vm = await aVm(host)
  await expect(host.start(vm)).rejects.toThrow('runs already')
  await expect(host.start({ ...vm, id: randomUUID() })).rejects.toThrow('in use')
  await expect(host.removeImage(vm.disks[0]?.image ?? '')).rejects.toThrow('in use')
})

test('the process that a killed host left behind ends before the VM starts again', async () => {
  const host = await aHost()
  const vm = await aVm(host)
  await host.stop(vm.id)
  const socket = join(host.socketDir, `${vm.id}.qmp`)
  const chardev = `socket,id=q,path=${socket},server=on,wait=off`
  const leftover = execa('qemu-storage-daemon', ['--chardev', chardev, '--monitor', 'chardev=q'])
  await expect
    .poll(
      () =>
        access(socket).then(
          () => true,
          () => false,
        ),
      { timeout: 10_000 },
    )
    .toBe(true)
  await host.start(vm)
  expect((await leftover).exitCode).toBe(0)
})

test('a VM whose volume is missing does not start, and says why', async () => {
  const host = await aHost()
  const disks = [{ image: randomUUID(), chain: [{ volume: randomUUID(), format: 'raw' as const }] }]
  await expect(host.start({ id: randomUUID(), name: 'vm', disks })).rejects.toThrow('No such file')
})

test('a guest on torn disks reports it and writes nothing', async () => {
  const host = await aHost()
  const vm = await aVm(host)
  await written(host, vm, 500)
  await host.stop(vm.id)
  await using file = await open(pathsOf(host, vm)[0] ?? '', 'r+')
  await file.write(Buffer.alloc(8 * megabyte), 0, 8 * megabyte, megabyte)
  await host.start(vm)
  expect(await host.stats()).toEqual([
    expect.objectContaining({ isRunning: true, failure: expect.stringContaining('torn') }),
  ])
})

test('statistics tell the longest stall once', async () => {
  const host = await aHost()
  const vm = await aVm(host, { guestAgent: true })
  await written(host, vm, 200)
  await host.freeze(vm.id)
  const [first] = await host.stats()
  expect(first).toMatchObject({
    vm: vm.id,
    name: 'vm',
    isRunning: true,
    isFrozen: true,
    writesPerSecond: 2000,
  })
  expect(first?.longestStallMs).toBeGreaterThan(0)
  const [second] = await host.stats()
  expect(second).toEqual({ ...first, longestStallMs: 0 })
})

test('an overlay of a running VM is seen to grow', async () => {
  const host = await aHost()
  const vm = await aVm(host)
  const [overlay] = await snapshot(host, vm)
  const volume = { image: overlay?.image ?? '', volume: overlay?.overlay ?? '' }
  await written(host, vm, 500)
  expect(await host.allocatedBytes(volume)).toBeGreaterThan(megabyte)
})
