import { request } from 'node:http'
import { join } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import type { LabPair } from './sites/plan.ts'
import { type LabStatus, statusOf } from './sites/status.ts'
import type { Verdict } from './vms/judge.ts'
import type { Expectation } from './vms/prover.ts'
import type { DiskImage } from './vms/source.ts'

/** Where volumes are mounted in pieces, by the id of their storage domain. */
export type Dirs = ReadonlyMap<string, string>

/** A mounted volume; disposing unmounts it. */
type LabMount = { dir: string } & AsyncDisposable

const root = join(import.meta.dirname, '../..')
const launcher = join(root, 'scripts/lab')
const node24 = join(root, 'node_modules/.bin/node')

const diskShape = z.object({
  image: z.string(),
  alias: z.string(),
  domain: z.string().optional(),
  storageType: z.string(),
  shareable: z.boolean(),
  plugged: z.boolean(),
  chain: z.array(z.object({ volume: z.string(), format: z.enum(['raw', 'cow']) })),
})
const vmShape = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  disks: z.array(diskShape),
  snapshots: z.array(
    z.object({ id: z.string(), description: z.string(), type: z.string(), status: z.string() }),
  ),
})
const worldShape = z.object({
  vms: z.array(vmShape),
  domains: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      onHost: z.boolean(),
      storage: z.object({ path: z.string() }),
    }),
  ),
})
const writersShape = z.object({
  writers: z.array(
    z.object({
      vm: z.string(),
      name: z.string(),
      acked: z.number(),
      flushed: z.number(),
      longestStallMs: z.number(),
      failure: z.string().optional(),
    }),
  ),
})
const errorShape = z.object({ error: z.string() })
const requestsShape = z.object({
  requests: z.array(z.object({ method: z.string(), path: z.string(), status: z.number() })),
})

export type LabVm = z.output<typeof vmShape>
export type LabWriter = z.output<typeof writersShape>['writers'][number]
export type UpLab = Exclude<LabStatus, { state: 'down' }>

/** A VM's images to be proved: paths as the node sees them on which the proof runs. */
export interface ProofOrder extends Expectation {
  vm: string
  disks: Extract<DiskImage, { path: string }>[]
}

/** A lab that is up, for the demo and for tests. */
export class LabClient {
  readonly status: UpLab

  private constructor(status: UpLab) {
    this.status = status
  }

  /** Throws when there is no such lab, or when it is not up. */
  static async of(name: string): Promise<LabClient> {
    const status = await statusOf(name)
    if (status.state !== 'up')
      throw new Error(`lab ${name} is ${status.state}: scripts/lab up --name ${name}`)
    return new LabClient(status)
  }

  /** The argv that runs a command inside a node. */
  at(node: string, ...command: string[]): [string, ...string[]] {
    return [launcher, 'exec', '--name', this.status.name, node, '--', ...command]
  }

  /** Runs a command inside a node; returns its standard output, throws when it fails. */
  async run(node: string, ...command: string[]): Promise<string> {
    const [file, ...args] = this.at(node, ...command)
    const { stdout } = await execa(file, args)
    return stdout
  }

  /** The argv of the real command line at the primary site, on the lab's own volumes and configuration. */
  vmbackup(...options: string[]): [string, ...string[]] {
    return this.vmbackupOn(this.status.pairs[0], ...options)
  }

  /** The same on one of the lab's pairs of volumes. */
  vmbackupOn(pair: LabPair | undefined, ...options: string[]): [string, ...string[]] {
    const { secondary, config } = this.status
    const words = [pair?.primary ?? '', secondary.host ?? '', pair?.secondary ?? '', '--config', config]
    return this.at('gp1', join(root, 'scripts/vmbackup'), ...words, ...options)
  }

  async world(): Promise<z.output<typeof worldShape>> {
    return worldShape.parse(await this.control('GET', '/world'))
  }

  async writers(): Promise<Map<string, LabWriter>> {
    const { writers } = writersShape.parse(await this.control('GET', '/writers'))
    return new Map(writers.map((writer) => [writer.vm, writer]))
  }

  /** What the engine was asked, without secrets; `changes`: only what was not a read. */
  async requests(which: 'all' | 'changes'): Promise<z.output<typeof requestsShape>['requests']> {
    const path = which === 'all' ? '/requests' : '/requests?changes'
    return requestsShape.parse(await this.control('GET', path)).requests
  }

  /**
   * Asks the engine as its administrator from another console, past the log and the faults of requests; the path is below
   * the API's root. Returns the answer's JSON, throws with the engine's words when it refuses.
   */
  async api(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.control('POST', '/api', { method, path, body })
  }

  /** The lab's own API on its control socket; returns the answer's JSON. */
  async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const socketPath = this.status.engine.controlSocket
    const asked = request({ socketPath, method, path }, (response) => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => {
        const ok = (response.statusCode ?? 500) < 300
        if (ok) resolve(text === '' ? undefined : JSON.parse(text))
        else reject(new Error(`${method} ${path}: ${refusal(text)}`))
      })
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
    return promise
  }

  /** Mounts a volume inside a node so that no stale cache is read; disposing unmounts it. */
  async mount(node: string, volume: string): Promise<LabMount> {
    return this.mountWith(node, volume, [])
  }

  /** Mounts a volume so that each piece of a sharded file is a file: the only way to read a hole without filling it. */
  async mountPieces(node: string, volume: string): Promise<LabMount> {
    return this.mountWith(node, volume, ['--client-pid=-1', '--aux-gfid-mount'])
  }

  /** Mounts all volumes of a site on a node, in pieces; their directories by the id of the storage domain. */
  async mountSite(site: 'primary' | 'secondary'): Promise<{ dirs: Dirs } & AsyncDisposable> {
    const node = site === 'primary' ? 'gp1' : (this.status.secondary.host ?? '')
    await using stack = new AsyncDisposableStack()
    const dirs = new Map<string, string>()
    for (const pair of await this.pairs()) {
      dirs.set(pair.id, stack.use(await this.mountPieces(node, pair[site])).dir)
    }
    const mounted = stack.move()
    return { dirs, [Symbol.asyncDispose]: () => mounted.disposeAsync() }
  }

  /** The pairs of volumes, each with the id of the storage domain on its primary; none before there is an engine. */
  async pairs(): Promise<(LabPair & { id: string })[]> {
    const { domains } = await this.world()
    return this.status.pairs.flatMap((pair) => {
      const domain = domains.find(({ onHost, storage }) => onHost && storage.path === `/${pair.primary}`)
      return domain === undefined ? [] : [{ ...pair, id: domain.id }]
    })
  }

  private async mountWith(node: string, volume: string, more: readonly string[]): Promise<LabMount> {
    const dir = (await this.run(node, 'mktemp', '-d', '/run/look.XXXXXX')).trim()
    const uncached = ['--direct-io-mode=enable', '--attribute-timeout=0', '--entry-timeout=0']
    const from = [`--volfile-server=${node}`, `--volfile-id=${volume}`]
    await this.run(node, 'glusterfs', ...from, '--read-only', ...uncached, ...more, dir)
    return {
      dir,
      [Symbol.asyncDispose]: async () => {
        await this.run(node, 'umount', dir)
        await this.run(node, 'rmdir', dir)
      },
    }
  }

  /** Runs the real command line on the secondary's host, on its volume: `points` or `verify`. */
  async atRecoverySite(command: string, ...options: string[]): Promise<{ stdout: string; exitCode: number }> {
    const { secondary } = this.status
    const place = `${secondary.host}:${secondary.volume}`
    const words = [join(root, 'scripts/vmbackup'), command, '--at', place, ...options]
    const [file, ...args] = this.at(secondary.host ?? '', ...words)
    const { stdout, exitCode = 1 } = await execa(file, args, { reject: false })
    return { stdout, exitCode }
  }

  /** Proves images where they lie: the proof runs inside the node. */
  async prove(node: string, orders: readonly ProofOrder[]): Promise<Map<string, Verdict>> {
    const [file, ...args] = this.at(node, node24, join(root, 'src/lab/prove.ts'))
    const { stdout } = await execa(file, args, { input: JSON.stringify(orders) })
    return new Map(JSON.parse(stdout) as [string, Verdict][])
  }

  /** SHA-256 of images as their guest sees them, read inside the node, in their order. */
  async digests(node: string, images: readonly DiskImage[]): Promise<string[]> {
    const [file, ...args] = this.at(node, node24, join(root, 'src/lab/digest.ts'))
    const { stdout } = await execa(file, args, { input: JSON.stringify(images) })
    return JSON.parse(stdout) as string[]
  }

  /** The active disks of a VM on the lab's storage domains that its guest writes to, as they lie below `dirs`. */
  imagesOf(vm: LabVm, dirs: Dirs, volumeOf: (disk: LabVm['disks'][number]) => string | undefined) {
    return vm.disks
      .filter((disk) => disk.plugged && !disk.shareable)
      .flatMap((disk) => {
        const { domain = '', image } = disk
        const [volume, pieces] = [volumeOf(disk), dirs.get(domain)]
        if (volume === undefined || pieces === undefined) return []
        return [{ path: join(pieces, domain, 'images', image, volume), format: 'raw' as const, pieces }]
      })
  }
}

/** The control socket's own words for what went wrong. */
function refusal(text: string): string {
  return errorShape.safeParse(JSON.parse(text)).data?.error ?? text
}
