import type { VmSpec, VolumeRef } from '../vm-host.ts'

/** One volume of a disk's chain in a running qemu, by the name of its format node. */
export interface Layer {
  volume: string
  node: string
}

export interface ChainFiles {
  path(volume: VolumeRef): string
  /** O_DIRECT, as oVirt runs disks on Gluster. */
  direct: boolean
}

/** qemu's nodes for a disk, base first, each named in its overlay; only the active one is writable. */
export function chainNodes(
  files: ChainFiles,
  { image, chain }: VmSpec['disks'][number],
  layers: Layer[],
): object[] {
  return layers.flatMap((layer, index) => {
    const isBase = index < layers.length - 1
    const common = { 'node-name': layer.node, file: fileOf(layer), discard: 'unmap', 'read-only': isBase }
    const format =
      chain[index]?.format === 'raw'
        ? { driver: 'raw' }
        : { driver: 'qcow2', backing: layers[index - 1]?.node ?? null }
    return [fileNode(files, image, layer), { ...common, ...format }]
  })
}

export function fileNode({ path, direct }: ChainFiles, image: string, layer: Layer): object {
  return {
    driver: 'file',
    filename: path({ image, volume: layer.volume }),
    'node-name': fileOf(layer),
    aio: 'threads',
    locking: 'auto',
    // Not `read-only`, for a frozen base either: a merge could not make that writable again.
    'auto-read-only': true,
    cache: { direct, 'no-flush': false },
    discard: 'unmap',
  }
}

/** An overlay before the switch: its base is given to it by the switch itself. */
export function overlayNode(layer: Layer): object {
  return {
    driver: 'qcow2',
    'node-name': layer.node,
    file: fileOf(layer),
    backing: null,
    discard: 'unmap',
  }
}

export function fileOf({ node }: Layer): string {
  return `f${node}`
}
