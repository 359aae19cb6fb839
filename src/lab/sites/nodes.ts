import { spawn } from 'node:child_process'
import { cp, mkdir, open, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { labDir, nodeDir } from './directory.ts'
import { hostsFile, type LabNode, type LabOptions, nodesOf } from './plan.ts'
import { identify, type ProcessIdentity, readIdentity } from './processes.ts'
import { until } from './until.ts'

const source = import.meta.dirname
const isGluster = ({ role }: LabNode): boolean => role === 'primary' || role === 'secondary'

/** Environment of everything the lab starts: a Debian root's, so that gsyncd finds the system's python. */
export const daemonEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  TMPDIR: '/run/tmp',
}

/** Compiles the program that runs commands inside nodes. */
export async function buildEnter(lab: string): Promise<void> {
  await execa('gcc', ['-O1', '-o', enterProgram(lab), join(source, 'enter.c')])
}

const enterProgram = (lab: string): string => join(labDir(lab), 'enter')

/** Starts the network's hub, a process that only holds a network namespace. */
export async function startHub(lab: string): Promise<ProcessIdentity> {
  const child = spawn('unshare', ['--net', 'sleep', 'infinity'], { detached: true, stdio: 'ignore' })
  child.unref()
  const hub = await until('the hub to start', 30_000, () => identify(child.pid ?? -1), 10)
  await writeFile(join(labDir(lab), 'hub.pid'), `${hub.pid} ${hub.started}\n`)
  // Before unshare has done its work, a command "inside the hub" would act on the machine's own network.
  const machine = await readlink('/proc/self/ns/net')
  const isApart = async () => (await readlink(`/proc/${hub.pid}/ns/net`)) !== machine
  await until('the hub to have its own network', 30_000, isApart, 10)
  return hub
}

/** The namespace init of a node, as recorded; undefined if it never started. */
export function nodeInit(lab: string, node: string): Promise<ProcessIdentity | undefined> {
  return readIdentity(join(nodeDir(lab, node), 'init.pid'))
}

/** Starts a node's namespaces with an own root, without network; returns its process 1. */
export async function startNode(
  options: LabOptions,
  node: LabNode,
  rsync?: string,
): Promise<ProcessIdentity> {
  const dir = nodeDir(options.name, node.name)
  const binds = await prepare(options, node, rsync)
  await writeFile(join(dir, 'binds'), binds.map((bind) => `${bind.join('\t')}\n`).join(''))
  const log = await open(join(dir, 'init.log'), 'w')
  const namespaces = ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child']
  const init = ['bash', join(source, 'node-init.sh'), node.name, dir]
  const child = spawn('unshare', [...namespaces, ...init], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: daemonEnvironment,
    cwd: '/',
  })
  child.unref()
  await log.close()
  return until(
    `node ${node.name} to start`,
    60_000,
    async () => {
      if (child.exitCode !== null) {
        throw new Error(`node ${node.name} did not start: ${await readFile(join(dir, 'init.log'), 'utf8')}`)
      }
      return nodeInit(options.name, node.name)
    },
    10,
  )
}

/** Makes the node's own files; returns what to bind where. */
async function prepare(options: LabOptions, node: LabNode, rsync?: string): Promise<[string, string][]> {
  const dir = nodeDir(options.name, node.name)
  const common = labDir(options.name)
  const own: Record<string, string> = {
    'var/log/glusterfs': '/var/log/glusterfs',
    'var/lib/misc': '/var/lib/misc',
    'root/.ssh': '/root/.ssh',
  }
  if (isGluster(node)) {
    Object.assign(own, {
      'var/lib/glusterd': '/var/lib/glusterd',
      'etc/glusterfs': '/etc/glusterfs',
      'etc/ssh': '/etc/ssh',
      bricks: '/bricks',
    })
  }
  await Promise.all(Object.keys(own).map((path) => mkdir(join(dir, path), { recursive: true })))
  await writeFile(join(dir, 'etc-hosts'), hostsFile(nodesOf(options.layout)))
  await writeFile(join(dir, 'empty'), '')
  await cp(join(common, 'ssh', 'user'), join(dir, 'root/.ssh'), { recursive: true })
  if (isGluster(node)) {
    await cp(join(common, 'ssh', 'server'), join(dir, 'etc/ssh'), { recursive: true })
    await cp('/etc/glusterfs', join(dir, 'etc/glusterfs'), { recursive: true })
    // Only what the package brings: a glusterd of this machine has its identity and volumes beside it.
    for (const part of ['hooks', 'groups']) {
      await cp(`/var/lib/glusterd/${part}`, join(dir, 'var/lib/glusterd', part), { recursive: true })
    }
  }
  const binds = Object.entries(own).map(([from, to]): [string, string] => [join(dir, from), to])
  binds.push([join(dir, 'etc-hosts'), '/etc/hosts'])
  // bash reads it for every ssh command too, and a developer's PATH there would choose gsyncd's python.
  for (const file of ['.bashrc', '.profile']) binds.push([join(dir, 'empty'), `/root/${file}`])
  if (rsync && isGluster(node)) binds.push([rsync, '/usr/bin/rsync'])
  return binds
}

/** Runs a command inside a node and returns its output; throws when it fails. */
export async function runIn(options: LabOptions, node: string, command: string[]): Promise<string> {
  const init = await nodeInit(options.name, node)
  if (init === undefined) throw new Error(`node ${node} of lab ${options.name} has not started`)
  const { stdout } = await execa(enterProgram(options.name), [String(init.pid), '/', ...command], {
    env: daemonEnvironment,
    extendEnv: false,
    stdin: 'ignore',
  })
  return stdout
}

/** Starts a program inside a node that goes to the background by itself or stays; its output goes to `log`. */
export async function spawnIn(options: LabOptions, node: string, command: string[], log: string) {
  const init = await nodeInit(options.name, node)
  if (init === undefined) throw new Error(`node ${node} of lab ${options.name} has not started`)
  const output = await open(log, 'a')
  const child = spawn(enterProgram(options.name), [String(init.pid), '/', ...command], {
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
    env: daemonEnvironment,
    cwd: '/',
  })
  child.unref()
  await output.close()
  return child
}
