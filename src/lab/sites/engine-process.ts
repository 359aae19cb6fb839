import { randomBytes } from 'node:crypto'
import { access, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { certificatesIn, makeCertificates } from './certificates.ts'
import { labDir } from './directory.ts'
import { runIn, spawnIn } from './nodes.ts'
import { glusterNodes, type LabOptions, nodesOf, pairsOf } from './plan.ts'
import { until } from './until.ts'

const root = join(import.meta.dirname, '../../..')
const serve = join(root, 'src/lab/serve.ts')
const node24 = join(root, 'node_modules/.bin/node')

/** The engine's account and the files a client of it needs. */
export function engineAccess(name: string) {
  const dir = labDir(name)
  return {
    url: 'https://engine/ovirt-engine/api',
    user: 'admin@internal',
    caFile: certificatesIn(join(dir, 'tls')).caFile,
    passwordFile: join(dir, 'password'),
    controlSocket: join(dir, 'control.sock'),
  }
}

/** Where the host mounts a primary volume, as vdsm does. */
function domainMount(volume: string): string {
  return `/rhev/data-center/mnt/glusterSD/gp1:_${volume}`
}

/** Makes certificates, password and the agent's ready configuration. */
export async function prepareEngine(options: LabOptions): Promise<void> {
  const dir = labDir(options.name)
  const { passwordFile, caFile, url, user } = engineAccess(options.name)
  await makeCertificates(join(dir, 'tls'), ['engine', 'hv1'], hostAddress(options))
  await writeFile(passwordFile, `${randomBytes(12).toString('base64url')}\n`, { mode: 0o600 })
  const config = [
    ['[connection]', `server = ${url}`, `user_name = ${user}`],
    [`password_file = ${passwordFile}`, `ca_file = ${caFile}`, ''],
    ['[state]', `dir = ${join(dir, 'state')}`, ''],
    ['[snapshot]', 'wait_timeout = 5m', ''],
    ['[gluster]', 'secondary_command = ssh -o BatchMode=yes root@gs1', ''],
  ]
  await writeFile(join(dir, 'backup.cfg'), config.flat().join('\n'), { mode: 0o600 })
}

/** Mounts the primary volumes on the host. */
export async function mountDomains(options: LabOptions): Promise<void> {
  const mountOptions = backupServers(options)
  const words = mountOptions ? ['-o', mountOptions] : []
  for (const { primary } of pairsOf(options)) {
    const at = domainMount(primary)
    await runIn(options, 'hv1', ['mkdir', '-p', at])
    await runIn(options, 'hv1', ['mount', '-t', 'glusterfs', ...words, `gp1:/${primary}`, at])
  }
}

/**
 * Starts the simulated engine on the host and returns when it is ready; throws with the end of its log if it
 * exits or is not ready in time. Returns false where this checkout has no engine.
 */
export async function startEngine(options: LabOptions): Promise<boolean> {
  if (
    !(await access(serve).then(
      () => true,
      () => false,
    ))
  )
    return false
  const dir = labDir(options.name)
  const { certFile, keyFile, caFile } = certificatesIn(join(dir, 'tls'))
  const { passwordFile, controlSocket } = engineAccess(options.name)
  const config = {
    address: hostAddress(options),
    port: 443,
    tls: { certFile, keyFile, caFile },
    passwordFile,
    controlSocket,
    volumes: pairsOf(options).map(({ primary, domain }) => ({
      mount: domainMount(primary),
      domain,
      address: 'gp1',
      volume: primary,
      mountOptions: backupServers(options),
    })),
    vms: options.vms,
    disks: options.disks,
    rate: options.rate,
    qsdDir: '/run/vm',
    big: options.big,
  }
  const configFile = join(dir, 'engine.json')
  const log = join(dir, 'engine.log')
  await writeFile(configFile, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
  const child = await spawnIn(options, 'hv1', [node24, serve, '--config', configFile], log)
  await until('the engine to be ready', 60_000, async () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the engine ended')
    return isReady(controlSocket)
  }).catch(async (cause) => {
    const tail = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-20).join('\n')
    throw new Error(`the engine did not start; the end of ${log}:\n${tail}`, { cause })
  })
  return true
}

function isReady(controlSocket: string): Promise<boolean> {
  return new Promise((answer) => {
    const ask = request({ socketPath: controlSocket, path: '/ready', timeout: 2_000 }, (response) => {
      response.resume()
      answer(response.statusCode === 200)
    })
    ask.on('timeout', () => ask.destroy())
    ask.on('error', () => answer(false))
    ask.end()
  })
}

function hostAddress({ layout }: LabOptions): string {
  return nodesOf(layout).find(({ role }) => role === 'host')?.ip ?? ''
}

function backupServers({ layout }: LabOptions): string {
  const others = glusterNodes(layout, 'primary').slice(1)
  return others.length > 0 ? `backup-volfile-servers=${others.map(({ name }) => name).join(':')}` : ''
}
