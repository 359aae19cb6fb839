import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { labDir } from './directory.ts'
import { daemonEnvironment } from './nodes.ts'
import { glusterNodes, type LabOptions } from './plan.ts'

/**
 * Makes the lab's keys: one for root, who may log in to every Gluster node from every node, and one host key.
 * They lie in the lab's directory and get copied into the nodes.
 */
export async function makeKeys(options: LabOptions): Promise<void> {
  const dir = join(labDir(options.name), 'ssh')
  const user = join(dir, 'user')
  const server = join(dir, 'server')
  await mkdir(user, { recursive: true, mode: 0o700 })
  await mkdir(server, { recursive: true, mode: 0o700 })
  const hostKey = join(server, 'ssh_host_ed25519_key')
  await Promise.all([newKey(join(user, 'id_ed25519'), `root@${options.name}`), newKey(hostKey, 'lab')])
  await copyFile(join(user, 'id_ed25519.pub'), join(user, 'authorized_keys'))
  const [type, key] = (await readFile(`${hostKey}.pub`, 'utf8')).split(' ')
  const names = glusterNodes(options.layout).map(({ name, ip }) => `${name},${ip}`)
  await writeFile(join(user, 'known_hosts'), `${names.join(',')} ${type} ${key}\n`)
  await writeFile(join(server, 'sshd_config'), serverConfig())
  await writeFile(join(server, 'ssh_config'), 'Host *\n  GSSAPIAuthentication no\n')
}

async function newKey(file: string, comment: string): Promise<void> {
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file])
}

function serverConfig(): string {
  const environment = Object.entries(daemonEnvironment)
    .filter(([name]) => name !== 'HOME')
    .map(([name, value]) => `${name}=${value}`)
  return [
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    'PidFile /run/sshd.pid',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
    'MaxStartups 100',
    `SetEnv ${environment.join(' ')}`,
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n')
}
