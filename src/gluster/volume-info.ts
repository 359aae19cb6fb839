import { Failure } from '../model/errors.ts'
import { shown } from '../model/shown.ts'
import { child, children, textOf, wholeIn, type XmlNode } from './xml.ts'

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

/** Reads the answer of `volume info NAME --xml`; undefined when the volume is not in it. Throws Failure for bricks that are none. */
export function volumeInfoOf(root: XmlNode, name: string): VolumeInfo | undefined {
  const volumes = children(child(child(root, 'volInfo'), 'volumes'), 'volume')
  const volume = volumes.find((found) => textOf(found, 'name') === name)
  if (volume === undefined) return undefined
  const bricks = children(child(volume, 'bricks'), 'brick').map(brickOf)
  const type = textOf(volume, 'typeStr')
  const replicas = Math.max(1, wholeIn(volume, 'replicaCount') ?? 1)
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
  // The host becomes a part of an argument of the client that mounts the volume.
  if (!/^[A-Za-z0-9[][\w.:%\]-]*:\//.test(name))
    throw new Failure(`one of its bricks is called ${shown(name)}, which is not HOST:/PATH`)
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

/** The size of a shard in bytes; Gluster's default is 64 MiB. Throws Failure when it is set to something that is no size. */
export function shardBytes(volume: VolumeInfo): number {
  const option = 'features.shard-block-size'
  const value = volume.options.get(option)
  if (value === undefined) return 64 * 1024 ** 2
  const [, number = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)\s*([KMGT]?)I?B?$/i.exec(value) ?? []
  const bytes = Number(number) * 1024 ** ('KMGT'.indexOf(unit.toUpperCase() || '-') + 1)
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new Failure(`${option} of volume ${volume.name} is ${shown(value)}, which is no size`, {
    hint: `gluster volume get ${volume.name} ${option}`,
  })
}

/** Whether large files are stored in pieces. */
export function isSharded(volume: VolumeInfo): boolean {
  return isOn(volume, 'features.shard', false)
}
