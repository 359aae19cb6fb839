import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'
import type { OverlayRef, VmSpec } from '../vm-host.ts'
import { type ChainFiles, chainNodes, fileNode, type Layer, overlayNode } from './block-nodes.ts'
import { commit, release } from './live-merge.ts'
import { openQmp, type Qmp } from './qmp.ts'

interface Disk {
  image: string
  /** Base first, active layer last. */
  layers: Layer[]
}

const startTimeoutMs = 20_000
const stopTimeoutMs = 30_000
const leftoverTimeoutMs = 10_000

/** One VM's disks under a `qemu-storage-daemon` of its own, each exported over NBD as `disk0`, `disk1`... */
export interface VmProcess {
  readonly nbdSocket: string
  readonly exports: string[]
  /** Those plugged later included. */
  readonly images: string[]
  /** True until the process ended, by whatever cause. */
  isRunning(): boolean
  /** Opens one more disk, which nobody writes to: it has no export. */
  plug(disk: VmSpec['disks'][number]): Promise<void>
  switchToOverlays(overlays: OverlayRef[]): Promise<void>
  /** Ends when the overlay's blocks are in its base and qemu has let go of the overlay. */
  merge(overlay: OverlayRef): Promise<void>
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

/** Starts the VM's disks from the chains given; throws with qemu's words if it does not come up. */
export async function startVmProcess(
  vm: VmSpec,
  { socketDir, files }: { socketDir: string; files: ChainFiles },
): Promise<VmProcess> {
  const nbdSocket = `${socketDir}/${vm.id}.nbd`
  const qmpSocket = `${socketDir}/${vm.id}.qmp`
  if (Buffer.byteLength(nbdSocket) > 107) throw new Error(`path too long for a socket: ${nbdSocket}`)
  await endLeftover(qmpSocket)
  for (const socket of [nbdSocket, qmpSocket]) await rm(socket, { force: true })

  let nodes = 0
  const layer = (volume: string): Layer => ({ volume, node: `v${nodes++}` })
  const disks: Disk[] = vm.disks.map(({ image, chain }) => ({
    image,
    layers: chain.map(({ volume }) => layer(volume)),
  }))
  const args = [
    ...['--chardev', `socket,id=q,path=${qmpSocket},server=on,wait=off`, '--monitor', 'chardev=q'],
    ...['--nbd-server', `addr.type=unix,addr.path=${nbdSocket}`],
    ...vm.disks
      .flatMap((disk, index) => chainNodes(files, disk, disks[index]?.layers ?? []))
      .flatMap((node) => ['--blockdev', JSON.stringify(node)]),
    ...disks.flatMap(({ layers }, index) => [
      '--export',
      `type=nbd,id=e${index},node-name=${layers.at(-1)?.node},name=disk${index},writable=on`,
    ]),
  ]
  const child = execa('qemu-storage-daemon', args, { reject: false })
  let running = true
  const ended = child.then((result) => {
    running = false
    return result
  })
  const qmp = await connect(qmpSocket, () => running).catch(async (cause) => {
    child.kill('SIGKILL')
    throw new Error(`VM ${vm.name} did not start: ${(await ended).stderr || 'no reason given'}`, { cause })
  })
  const findDisk = (image: string) => {
    const disk = disks.find((each) => each.image === image)
    if (!disk) throw new Error(`VM ${vm.name} has no image ${image}`)
    return disk
  }

  return {
    nbdSocket,
    exports: disks.map((_, index) => `disk${index}`),
    get images() {
      return disks.map(({ image }) => image)
    },
    isRunning: () => running,

    async plug(disk) {
      const layers = disk.chain.map(({ volume }) => layer(volume))
      for (const node of chainNodes(files, disk, layers)) await qmp.run('blockdev-add', node)
      disks.push({ image: disk.image, layers })
    },

    async switchToOverlays(overlays) {
      const added: { disk: Disk; active: Layer; next: Layer }[] = []
      try {
        for (const { image, base, overlay } of overlays) {
          const disk = findDisk(image)
          const active = disk.layers.at(-1)
          if (active?.volume !== base) throw new Error(`${base} is not the active volume of image ${image}`)
          const next = layer(overlay)
          await qmp.run('blockdev-add', fileNode(files, image, next))
          added.push({ disk, active, next })
          await qmp.run('blockdev-add', overlayNode(next))
        }
        const actions = added.map(({ active, next }) => ({
          type: 'blockdev-snapshot',
          data: { node: active.node, overlay: next.node },
        }))
        await qmp.run('transaction', { actions })
      } catch (error) {
        for (const { next } of added) await release(qmp, next).catch(() => undefined)
        throw error
      }
      for (const { disk, next } of added) disk.layers.push(next)
    },

    async merge({ image, base, overlay }) {
      const { layers } = findDisk(image)
      const index = layers.findIndex(({ volume }) => volume === overlay)
      const [below, top, active] = [layers[index - 1], layers[index], layers.at(-1)]
      if (!top || !active || below?.volume !== base) throw new Error(`${base} is not right below ${overlay}`)
      await commit(qmp, { active, top, base: below })
      layers.splice(index, 1)
      await release(qmp, top)
    },

    async stop() {
      await qmp.run('quit').catch(() => undefined)
      const deadline = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await ended
      clearTimeout(deadline)
      qmp.close()
    },

    async kill() {
      child.kill('SIGKILL')
      await ended
      qmp.close()
    },
  }
}

/** Ends the VM's process of a host that was killed: two processes on the same images would ruin them. */
async function endLeftover(qmpSocket: string): Promise<void> {
  const signal = AbortSignal.timeout(leftoverTimeoutMs)
  const qmp = await openQmp(qmpSocket, signal).catch(() => undefined)
  await Promise.allSettled([qmp?.event(() => false), qmp?.run('quit')])
  if (signal.aborted) throw new Error(`another process answers for this VM at ${qmpSocket}`)
}

async function connect(path: string, isRunning: () => boolean): Promise<Qmp> {
  for (const deadline = Date.now() + startTimeoutMs; ; await pause(10)) {
    try {
      return await openQmp(path)
    } catch (error) {
      if (!isRunning() || Date.now() > deadline) throw error
    }
  }
}
