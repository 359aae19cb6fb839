import { randomUUID } from 'node:crypto'
import { constants, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { OverlayRef, VmSpec } from '../../src/lab/vm-host.ts'
import { createRealHost, type RealHost } from '../../src/lab/vms/real-host.ts'
import type { DiskImage } from '../../src/lab/vms/source.ts'

export const megabyte = 2 ** 20
export type Format = 'raw' | 'cow'

export async function aHost(): Promise<RealHost & { socketDir: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'vms-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const direct = await supportsDirectIo(directory)
  const socketDir = join(directory, 's')
  const host = createRealHost({ mount: directory, socketDir, direct })
  onTestFinished(() => host.close())
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

export async function aVm(
  host: RealHost,
  about: Partial<VmSpec> & { format?: Format } = {},
): Promise<VmSpec> {
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

export async function snapshot(host: RealHost, vm: VmSpec): Promise<OverlayRef[]> {
  const overlays = overlaysOf(vm)
  for (const overlay of overlays) await host.createOverlay(overlay)
  await host.switchToOverlays(vm.id, overlays)
  return overlays
}

export async function merge(host: RealHost, vm: VmSpec, overlays: OverlayRef[]): Promise<void> {
  for (const overlay of overlays) {
    await host.mergeLive(vm.id, overlay)
    await host.removeOverlay(overlay)
  }
}

export function pathsOf(host: RealHost, vm: VmSpec): string[] {
  return vm.disks.map(({ image, chain }) => host.path({ image, volume: chain.at(-1)?.volume ?? '' }))
}

export function imagesOf(host: RealHost, vm: VmSpec): DiskImage[] {
  return pathsOf(host, vm).map((path, index) => ({
    path,
    format: vm.disks[index]?.chain.at(-1)?.format === 'raw' ? 'raw' : 'qcow2',
  }))
}

export function withChain(vm: VmSpec, overlays: OverlayRef[]): VmSpec {
  return {
    ...vm,
    disks: vm.disks.map(({ image, chain }, index) => ({
      image,
      chain: [...chain, { volume: overlays[index]?.overlay ?? '', format: 'cow' as const }],
    })),
  }
}

/** Waits until one of these files is written to. */
export async function changed(paths: string[]): Promise<void> {
  const times = async () => (await Promise.all(paths.map((path) => stat(path)))).map(({ mtimeMs }) => mtimeMs)
  const before = await times()
  await expect.poll(times, { timeout: 30_000, interval: 1 }).not.toEqual(before)
}

/** Waits until the VM's guest wrote that much. */
export async function written(host: RealHost, vm: VmSpec, atLeast: number): Promise<number> {
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
