import { copyFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { proveImages } from '../../src/lab/vms/prover.ts'
import {
  aHost,
  aVm,
  changed,
  type Format,
  imagesOf,
  megabyte,
  merge,
  pathsOf,
  snapshot,
  withChain,
  written,
} from './a-real-host.ts'

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
        onTestFinished(() => rm(copy, { force: true }))
        await copyFile(path, copy)
        return { path: copy, format: 'raw' } as const
      }),
    )
    verdicts.push((await proveImages(copies)).verdict)
  }
  expect(verdicts).toContain('torn')
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

test('an overlay of a running VM is seen to grow', async () => {
  const host = await aHost()
  const vm = await aVm(host)
  const [overlay] = await snapshot(host, vm)
  const volume = { image: overlay?.image ?? '', volume: overlay?.overlay ?? '' }
  await written(host, vm, 500)
  expect(await host.allocatedBytes(volume)).toBeGreaterThan(megabyte)
})
