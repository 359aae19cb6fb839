import { child, children, textOf, type XmlNode } from './xml.ts'

export interface Brick {
  host: string
  hostUuid: string
  path: string
}

export interface VolumeInfo {
  name: string
  started: boolean
  /** As Gluster says it, e.g. `Distributed-Replicate`. */
  type: string
  dispersed: boolean
  replicated: boolean
  /** The bricks by replica set; a set of one where nothing is replicated. */
  sets: Brick[][]
  /** Each host once, in the order of the bricks. */
  hosts: string[]
  /** What was set; a default is not listed by Gluster. */
  options: ReadonlyMap<string, string>
}

/** Reads the answer of `volume info NAME --xml`; undefined when the volume is not in it. */
export function volumeInfoOf(root: XmlNode, name: string): VolumeInfo | undefined {
  const volumes = children(child(child(root, 'volInfo'), 'volumes'), 'volume')
  const volume = volumes.find((found) => textOf(found, 'name') === name)
  if (volume === undefined) return undefined
  const bricks = children(child(volume, 'bricks'), 'brick').map(brickOf)
  const type = textOf(volume, 'typeStr')
  const replicas = Math.max(1, Number(textOf(volume, 'replicaCount')) || 1)
  const options = children(child(volume, 'options'), 'option')
  return {
    name,
    started: textOf(volume, 'statusStr') === 'Started',
    type,
    dispersed: /disperse/i.test(type),
    replicated: replicas > 1,
    sets: chunks(bricks, replicas),
    hosts: [...new Set(bricks.map(({ host }) => host))],
    options: new Map(options.map((option) => [textOf(option, 'name'), textOf(option, 'value')])),
  }
}

function brickOf(brick: XmlNode): Brick {
  const name = textOf(brick, 'name')
  // An IPv6 address has colons, a path begins at the first `:/`.
  const split = name.indexOf(':/')
  return { host: name.slice(0, split), hostUuid: textOf(brick, 'hostUuid'), path: name.slice(split + 1) }
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) =>
    list.slice(at * size, (at + 1) * size),
  )
}

/** Whether an option was set to one of Gluster's words for true; `otherwise` is its default. */
export function isOn(volume: VolumeInfo, option: string, otherwise: boolean): boolean {
  const value = volume.options.get(option)
  return value === undefined ? otherwise : /^(on|enable|enabled|true|yes|1)$/i.test(value)
}

/** The size of a shard in bytes; Gluster's default is 64 MiB. */
export function shardBytes(volume: VolumeInfo): number {
  const [, number, unit = ''] =
    /^(\d+)\s*([KMGT]?)I?B?$/i.exec(volume.options.get('features.shard-block-size') ?? '') ?? []
  const power = 'KMGT'.indexOf(unit.toUpperCase() || '-') + 1
  return number === undefined ? 64 * 1024 ** 2 : Number(number) * 1024 ** power
}

/** Whether large files are stored in pieces. */
export function isSharded(volume: VolumeInfo): boolean {
  return isOn(volume, 'features.shard', false)
}
