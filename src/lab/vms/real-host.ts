import { mkdir } from 'node:fs/promises'
import type { VmHost, VmSpec, VolumeRef } from '../vm-host.ts'
import { Domains, type Mounted } from './domains.ts'
import { slowingDown } from './pace.ts'
import { changeBase, commitOverlay } from './qemu-img.ts'
import { startVmProcess, type VmProcess } from './vm-process.ts'
import type { WriteCount } from './write-loop.ts'
import { createWriter } from './writer.ts'

export interface RealHostOptions extends Mounted {
  /** Volumes of further domains; told apart by their sources. */
  more?: Mounted[]
  /** Holds two sockets per VM; its path has at most 60 characters. */
  socketDir: string
  /** A domain that is there already; else `createDomain` comes first. */
  domain?: string
  /** False only for file systems without O_DIRECT. */
  direct?: boolean
  /** Default of `VmSpec.writesPerSecond`. */
  writesPerSecond?: number
  /** Bounds what the writers use of each disk, in blocks of 4 KiB. */
  maxSlotsPerDisk?: number
}

interface VmStats extends WriteCount {
  vm: string
  name: string
  isRunning: boolean
  isFrozen: boolean
  isPaused: boolean
  /** Below what the VM was started with while a long merge holds its guest back. */
  writesPerSecond: number
}

/** A host whose VMs' disks are real: a qemu-storage-daemon per VM, with a checkable writer as its guest. */
export interface RealHost extends VmHost {
  /** The path of a volume on this host's mount. */
  path(volume: VolumeRef): string
  /** Counts of one VM's writer; throws if the VM does not write. */
  acked(vmId: string): Promise<WriteCount>
  /** Every started VM that writes, in order of start; the longest stalls are since the last call. */
  stats(): Promise<VmStats[]>
  /** With SIGKILL; the VM can be started again. */
  crash(vmId: string): Promise<void>
  suspend(vmId: string): Promise<void>
  resume(vmId: string): Promise<void>
}

interface Vm {
  spec: VmSpec
  process: VmProcess
  /** As specified; 0 = no writer. */
  rate: number
  pace: number
  isFrozen: boolean
  isPaused: boolean
  last: WriteCount
}

/** Nothing runs until a VM is started; `close` ends all of it. */
export function createRealHost(options: RealHostOptions): RealHost {
  const direct = options.direct ?? true
  const maxSlotsPerDisk = options.maxSlotsPerDisk ?? 16_384
  const vms = new Map<string, Vm>()
  const writer = createWriter()
  const domains = new Domains([options, ...(options.more ?? [])], options.domain)

  const running = (vmId: string): Vm => {
    const vm = vms.get(vmId)
    if (!vm?.process.isRunning()) throw new Error(`VM ${vm?.spec.name ?? vmId} is not running`)
    return vm
  }
  const guest = (vmId: string): Vm => {
    const vm = running(vmId)
    if (!vm.spec.guestAgent) throw new Error(`VM ${vm.spec.name}: guest agent is not responding`)
    return vm
  }
  const userOf = (image: string) =>
    [...vms.values()].find(({ process }) => process.isRunning() && process.images.includes(image))
  const stopWriter = async (vm: Vm) => {
    if (vm.rate === 0) return
    vm.last = await writer.stop(vm.spec.id).catch(() => vm.last)
  }
  const hold = async (vm: Vm) => {
    if (vm.rate > 0) await writer.pause(vm.spec.id)
  }
  const letGo = async (vm: Vm) => {
    if (vm.rate > 0 && !vm.isFrozen && !vm.isPaused) await writer.resume(vm.spec.id)
  }
  const setPace = async (vm: Vm, rate: number) => {
    vm.pace = rate
    await writer.setRate(vm.spec.id, rate)
  }
  const look = async (vm: Vm): Promise<VmStats> => {
    const { id, name } = vm.spec
    const isRunning = vm.process.isRunning()
    if (isRunning) vm.last = await writer.stats(id).catch(() => vm.last)
    const { isFrozen, isPaused, pace: writesPerSecond } = vm
    return { vm: id, name, isRunning, isFrozen, isPaused, writesPerSecond, ...vm.last }
  }

  return {
    path: (volume) => domains.of(volume).path(volume),

    createDomain: (domain) => domains.create(domain),
    createVolume: async (volume) => domains.homeFor(volume.image, volume.domain).createVolume(volume),
    createOverlay: async (overlay) => domains.of(overlay).createOverlay(overlay),
    removeOverlay: async (overlay) => domains.of(overlay).removeOverlay(overlay),
    setLegality: async (volume, legality) => domains.of(volume).setLegality(volume, legality),
    createOvfStore: async (volume) => domains.homeFor(volume.image, volume.domain).createOvfStore(volume),
    writeOvfStore: async (volume, content) => domains.of(volume).writeOvfStore(volume, content),
    allocatedBytes: async (volume) => domains.of(volume).allocatedBytes(volume),
    async removeImage(image) {
      refuseUsed(userOf(image), image)
      await domains.of({ image }).removeImage(image)
    },
    space: (domain) => domains.space(domain),

    async start(spec) {
      if (vms.get(spec.id)?.process.isRunning()) throw new Error(`VM ${spec.name} runs already`)
      for (const { image } of spec.disks) refuseUsed(userOf(image), image)
      await mkdir(options.socketDir, { recursive: true, mode: 0o700 })
      const files = { path: (volume: VolumeRef) => domains.of(volume).path(volume), direct }
      const process = await startVmProcess(spec, { socketDir: options.socketDir, files })
      const rate = spec.disks.length === 0 ? 0 : (spec.writesPerSecond ?? options.writesPerSecond ?? 300)
      const vm: Vm = {
        spec,
        process,
        rate,
        pace: rate,
        isFrozen: false,
        isPaused: false,
        last: { acked: 0, flushed: 0, longestStallMs: 0 },
      }
      vms.set(spec.id, vm)
      if (rate === 0) return
      const { nbdSocket: socket, exports } = process
      await writer
        .start({ vm: spec.id, socket, exports, rate, maxSlotsPerDisk })
        .catch((error: Error) => (vm.last = { ...vm.last, failure: error.message }))
    },
    async stop(vmId) {
      const vm = running(vmId)
      await stopWriter(vm)
      await vm.process.stop()
    },
    async crash(vmId) {
      const vm = running(vmId)
      await vm.process.kill()
      await stopWriter(vm)
    },

    async freeze(vmId) {
      const vm = guest(vmId)
      if (vm.isFrozen) throw new Error(`VM ${vm.spec.name}: domain is already quiesced`)
      vm.isFrozen = true
      await hold(vm).catch((error: unknown) => {
        vm.isFrozen = false
        throw error
      })
    },
    async thaw(vmId) {
      const vm = guest(vmId)
      vm.isFrozen = false
      await letGo(vm)
    },
    async suspend(vmId) {
      const vm = running(vmId)
      await hold(vm)
      vm.isPaused = true
    },
    async resume(vmId) {
      const vm = running(vmId)
      vm.isPaused = false
      await letGo(vm)
    },
    plug: async (vmId, disk) => running(vmId).process.plug(disk),
    switchToOverlays: async (vmId, overlays) => running(vmId).process.switchToOverlays(overlays),
    async mergeLive(vmId, overlay) {
      const vm = running(vmId)
      const merge = () => vm.process.merge(overlay)
      if (vm.rate === 0) return merge()
      await slowingDown(vm.rate, (rate) => setPace(vm, rate), merge)
    },
    async mergeCold({ image, base, overlay }) {
      refuseUsed(userOf(image), image)
      const domain = domains.of({ image })
      await commitOverlay(domain.path({ image, volume: overlay }), direct ? 'none' : 'writeback')
      const child = await domain.childOf({ image, volume: overlay })
      if (child === undefined) return
      const format = (await domain.readMeta({ image, volume: base }))['FORMAT'] === 'COW' ? 'qcow2' : 'raw'
      await changeBase(domain.path({ image, volume: child }), base, format)
    },

    async acked(vmId) {
      const vm = vms.get(vmId)
      if (!vm) throw new Error(`VM ${vmId} was never started`)
      return vm.process.isRunning() && !vm.last.failure ? writer.acked(vmId) : vm.last
    },
    async stats() {
      const writing = [...vms.values()].filter(({ rate }) => rate > 0)
      return Promise.all(writing.map(look))
    },

    async close() {
      const up = [...vms.values()].filter(({ process }) => process.isRunning())
      await Promise.all(up.map(stopWriter))
      await Promise.all(up.map(({ process }) => process.stop()))
      await writer.close()
    },
  }
}

function refuseUsed(user: Vm | undefined, image: string): void {
  if (user) throw new Error(`image ${image} is in use by VM ${user.spec.name}`)
}
