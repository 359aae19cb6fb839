import { randomUUID } from 'node:crypto'
import { access, open } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { proveImages } from '../../src/lab/vms/prover.ts'
import { aHost, aVm, imagesOf, megabyte, merge, pathsOf, snapshot, written } from './a-real-host.ts'

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
