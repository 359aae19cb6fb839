import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { type ControlRoute, createControl } from './engine/control.ts'
import { createEngine } from './engine/engine.ts'
import { RequestLog } from './engine/http/request-log.ts'
import { SignOn } from './engine/http/sign-on.ts'
import { standardWorld } from './engine/inventory.ts'
import { serve } from './engine/serve-http.ts'
import { boot } from './engine/world/boot.ts'
import { disksOf } from './engine/world/disk-state.ts'
import type { World } from './engine/world/world.ts'
import { onSignals } from './signals.ts'
import { createRealHost, type RealHost } from './vms/real-host.ts'

const mib = 1024 * 1024
const diskBytes = 32 * mib
/** A larger disk has random data at every MiB only: quick to write and to replicate. */
const sparseBytes = 64 * 1024

const volumeShape = z.object({
  mount: z.string(),
  domain: z.string(),
  address: z.string(),
  volume: z.string(),
  mountOptions: z.string(),
})

/** What `lab up` writes for the engine process; see sites/engine-process.ts. */
const configShape = z.object({
  address: z.string(),
  port: z.int(),
  tls: z.object({ certFile: z.string(), keyFile: z.string(), caFile: z.string() }),
  passwordFile: z.string(),
  controlSocket: z.string(),
  volumes: z.tuple([volumeShape], volumeShape),
  vms: z.int(),
  disks: z.int(),
  rate: z.int(),
  qsdDir: z.string(),
  big: z.int().default(0),
})

type LabVolume = z.output<typeof volumeShape>

/** One process: the simulated engine on https, its hosts with real VMs, and the lab's control socket. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' } } })
  if (values.config === undefined) throw new Error('usage: serve.ts --config FILE')
  const config = configShape.parse(JSON.parse(await readFile(values.config, 'utf8')))
  const [first, ...more] = config.volumes
  const [second] = more
  await using host = closing(
    createRealHost({
      mount: first.mount,
      remotePath: sourceOf(first),
      more: more.map((one) => ({ mount: one.mount, remotePath: sourceOf(one) })),
      socketDir: config.qsdDir,
      writesPerSecond: config.rate,
      // Small written areas keep overlays, which are replicated too, small on a small machine.
      maxSlotsPerDisk: 4096,
    }),
  )
  const world = standardWorld({
    host: host.real,
    vms: config.vms,
    disks: config.disks,
    diskBytes,
    engineOnVolume: true,
    bigDiskBytes: config.big * mib,
    gluster: glusterOf(first),
    domainName: first.domain,
    ...(second === undefined ? {} : { second: { ...glusterOf(second), domainName: second.domain } }),
    password: (await readFile(config.passwordFile, 'utf8')).trim(),
  })
  await boot(world)
  await fillThoseDown(world, host.real)
  const log = new RequestLog()
  const signOn = new SignOn(world)
  const [key, cert, caCertificate] = await Promise.all([
    readFile(config.tls.keyFile),
    readFile(config.tls.certFile),
    readFile(config.tls.caFile, 'utf8'),
  ])
  await using _api = await serve(createEngine({ world, log, signOn, caCertificate }), {
    host: config.address,
    port: config.port,
    tls: { key, cert },
  })
  const routes = [writersRoute(host.real)]
  await using _control = await serve(createControl({ world, log, signOn, routes }), {
    socket: config.controlSocket,
  })
  await new Promise<void>((resolve) => {
    onSignals(['SIGTERM', 'SIGINT'], () => resolve())
  })
}

function sourceOf({ address, volume }: LabVolume): string {
  return `${address}:/${volume}`
}

function glusterOf({ address, volume, mountOptions }: LabVolume) {
  return { address, volume, ...(mountOptions === '' ? {} : { mountOptions }) }
}

/** What a VM that is down has on its disks from better days: a copy of zeros would prove little. */
async function fillThoseDown(world: World, host: RealHost): Promise<void> {
  for (const vm of [...world.vms.values()].filter(({ status }) => status === 'down')) {
    for (const { disk } of disksOf(world, vm)) {
      const volume = disk.volumes[0]
      if (volume === undefined) continue
      await using file = await open(host.path({ image: disk.id, volume: volume.id }), 'r+')
      if (disk.sizeBytes <= diskBytes) await file.write(randomBytes(diskBytes / 4))
      else await fillSparsely(file, disk.sizeBytes)
      await file.sync()
    }
  }
}

async function fillSparsely(file: FileHandle, sizeBytes: number): Promise<void> {
  for (let at = 0; at < sizeBytes; at += mib) {
    await file.write(randomBytes(Math.min(sparseBytes, sizeBytes - at)), 0, undefined, at)
  }
}

/** What the guests have written, for proofs. */
function writersRoute(host: RealHost): ControlRoute {
  return { method: 'GET', path: /\/writers/, handle: async () => ({ writers: await host.stats() }) }
}

function closing(real: RealHost): { real: RealHost } & AsyncDisposable {
  return { real, [Symbol.asyncDispose]: () => real.close() }
}

await main()
