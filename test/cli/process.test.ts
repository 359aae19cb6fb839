import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lockVolume } from '../../src/run/lock.ts'
import { aFolder } from '../run/a-folder.ts'
import { flawsIn } from '../run/report-schema.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname
const three = ['data', 'dr1', 'data-dr']

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the command as a person would, in a folder of its own. */
async function vmbackup(
  argv: readonly string[],
  { cwd = aFolder(), closeStderr = false, more = {}, meanwhile = (_child: ChildProcess) => {} } = {},
): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: cwd, TMPDIR: cwd, ...more }
  const child = spawn(process.execPath, [main, ...argv], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  if (closeStderr) child.stderr.destroy()
  meanwhile(child)
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  await once(child, 'close')
  return { code: child.exitCode, ...said }
}

/** Listens on some port of this machine. */
async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A port of this machine where nobody listens. */
async function aClosedPort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  server.close()
  await once(server, 'close')
  return port
}

/** A folder with a backup.cfg that reaches neither an engine nor a gluster command. */
async function aFolderWithConfig(more = '', port?: number): Promise<string> {
  const cwd = aFolder()
  const text = `[connection]
server = https://127.0.0.1:${port ?? (await aClosedPort())}/ovirt-engine/api
user_name = admin@internal
password = secret
[gluster]
command = /nonexistent/ssh gp1
secondary_command = /nonexistent/ssh gs1
[state]
dir = ${join(cwd, 'state')}
${more}`
  writeFileSync(join(cwd, 'backup.cfg'), text, { mode: 0o600 })
  return cwd
}

/** The one document that `--json` promises. */
function documentOf({ stdout }: Ended): Record<string, unknown> {
  const document = JSON.parse(stdout) as Record<string, unknown>
  expect(flawsIn(document)).toEqual([])
  return document
}

describe('the command', () => {
  test('says its version or its help and does nothing else', async () => {
    const version = await vmbackup(['--version'])
    expect(version).toMatchObject({ code: 0, stderr: '' })
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = await vmbackup(['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('Usage: vmbackup')
  })

  test('ends with 2 and a hint on standard error when it cannot be meant', async () => {
    const ended = await vmbackup(['data'])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toBe(
      "vmbackup: missing required argument 'secondary-host'\n  what to do: vmbackup --help shows the usage and examples\n",
    )
  })

  test('says the same as one JSON document where JSON was asked for', async () => {
    const ended = await vmbackup(['--json', 'data'])
    expect(ended).toMatchObject({ code: 2, stderr: '' })
    expect(documentOf(ended)).toMatchObject({ version: 1, outcome: 'usage error' })
  })

  test('ends with 2 when there is no configuration, and names where it looked', async () => {
    const ended = await vmbackup(three)
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('/etc/vmbackup/backup.cfg')
  })

  test('ends with 2 at a wrong key, naming file and line, and touches nothing', async () => {
    const cwd = await aFolderWithConfig('dirr = /x\n')
    const ended = await vmbackup(three, { cwd })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain('backup.cfg:10: [state] dirr')
    expect(readdirSync(cwd)).toEqual(['backup.cfg'])
  })

  test('ends with 2 at a value of the command line that the configuration does not allow, naming the option', async () => {
    const ended = await vmbackup([...three, '--interval', '99999'], { cwd: await aFolderWithConfig() })
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('--interval')
  })

  test('ends with 4 when neither engine nor gluster can be reached, and tells both at once', async () => {
    const ended = await vmbackup(three, { cwd: await aFolderWithConfig() })
    expect(ended.code).toBe(4)
    expect(ended.stdout).toContain('refused, nothing was touched')
    expect(ended.stdout).toContain('ECONNREFUSED')
    expect(ended.stdout).toContain('/nonexistent/ssh not found')
    expect(ended.stdout).toContain('what to do:')
    expect(ended.stdout + ended.stderr).not.toContain('secret')
    expect(ended.stderr).not.toContain(String.fromCharCode(27))
  })

  test('prints that report as one JSON document, and everything else on standard error', async () => {
    const ended = await vmbackup([...three, '--json', '--verbose'], { cwd: await aFolderWithConfig() })
    expect(ended.code).toBe(4)
    expect(documentOf(ended)).toMatchObject({ outcome: 'refused', primary: 'data', vms: [] })
    expect(ended.stderr).toContain('step began')
  })

  test('warns in its report of a configuration that others can read', async () => {
    const cwd = await aFolderWithConfig()
    chmodSync(join(cwd, 'backup.cfg'), 0o644)
    const { warnings } = documentOf(await vmbackup([...three, '--json'], { cwd }))
    expect(warnings).toMatchObject([expect.stringContaining('backup.cfg')])
  })

  test('keeps the password of its environment from the commands that it runs', async () => {
    const cwd = await aFolderWithConfig()
    const file = join(cwd, 'backup.cfg')
    const text = readFileSync(file, 'utf8').replace('password = secret\n', '')
    writeFileSync(file, text.replace('/nonexistent/ssh gp1', join(cwd, 'gp1')), { mode: 0o600 })
    writeFileSync(join(cwd, 'gp1'), '#!/bin/sh\nenv >>"$HOME/environment"\n', { mode: 0o700 })
    const ended = await vmbackup(three, { cwd, more: { VMBACKUP_PASSWORD: 'a secret' } })
    expect(ended.stdout).not.toContain('there is no password')
    const environment = readFileSync(join(cwd, 'environment'), 'utf8')
    expect(environment).toContain('PATH=')
    expect(environment).not.toContain('a secret')
  })

  test('is silent but for the result with --quiet', async () => {
    const ended = await vmbackup([...three, '--quiet'], { cwd: await aFolderWithConfig() })
    expect(ended).toMatchObject({ code: 4, stderr: '' })
  })

  test('warns all the same with --quiet, on standard error', async () => {
    const cwd = await aFolderWithConfig()
    chmodSync(join(cwd, 'backup.cfg'), 0o644)
    const ended = await vmbackup([...three, '--quiet'], { cwd })
    expect(ended.stderr).toMatch(/^warning: .*backup\.cfg.*\n$/)
  })

  test('ends as it should when nobody reads its standard error any more', async () => {
    const ended = await vmbackup([...three, '--json'], { cwd: await aFolderWithConfig(), closeStderr: true })
    expect(ended.code).toBe(4)
    expect(documentOf(ended)).toMatchObject({ outcome: 'refused' })
  })

  test('rehearses with 4 and all findings, and leaves nothing behind, not even a state directory', async () => {
    const cwd = await aFolderWithConfig()
    const ended = await vmbackup([...three, '--dry-run'], { cwd })
    expect(ended.code).toBe(4)
    expect(ended.stdout).toContain('ECONNREFUSED')
    expect(ended.stdout).toContain('/nonexistent/ssh not found')
    expect(ended.stdout).toContain('a run would be refused')
    expect(readdirSync(cwd)).toEqual(['backup.cfg'])
  })

  test('ends with 1 and says what to do when its state directory is a file', async () => {
    const cwd = await aFolderWithConfig()
    writeFileSync(join(cwd, 'state'), '')
    const ended = await vmbackup(three, { cwd })
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain(join(cwd, 'state'))
    expect(ended.stderr).toContain('what to do: check that [state] dir is writable')
    const json = await vmbackup([...three, '--json'], { cwd })
    expect(documentOf(json)).toMatchObject({ outcome: 'failed' })
  })

  test('ends with 1 and names the log when that cannot be written', async () => {
    const cwd = await aFolderWithConfig('[logging]\nfile = backup.cfg/log\n')
    const ended = await vmbackup(three, { cwd })
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('cannot open the log')
    expect(ended.stderr).toContain('what to do:')
  })

  test.each([[[]], [['--dry-run']]])(
    'ends with 130 when it is told to stop while it looks: %j',
    async (more) => {
      const silent = createServer()
      const cwd = await aFolderWithConfig('', await listening(silent))
      const ended = await vmbackup([...three, '--json', ...more], {
        cwd,
        meanwhile: (child) => {
          silent.once('connection', (socket) => {
            silent.close()
            child.kill('SIGTERM')
            child.once('close', () => socket.destroy())
          })
        },
      })
      expect(ended.code).toBe(130)
      expect(documentOf(ended)).toMatchObject({
        outcome: 'cancelled',
        error: { message: 'cancelled by SIGTERM' },
      })
    },
  )

  test('ends at once at the second signal, and `recover` knows what that left', async () => {
    const silent = createServer()
    const cwd = await aFolderWithConfig('', await listening(silent))
    const ended = await vmbackup([...three, '--json'], {
      cwd,
      meanwhile: (child) => {
        // The first question to the engine, and then the closing event, which waits for an answer as well.
        silent.on('connection', () => void child.kill('SIGTERM'))
      },
    })
    silent.close()
    expect(ended).toMatchObject({ code: 130, stdout: '' })
    const owed = await vmbackup(['recover', '--dry-run', '--json'], { cwd })
    expect(owed.code).toBe(1)
    expect(JSON.parse(owed.stdout)).toMatchObject({
      version: 1,
      pairs: [
        {
          primary: 'data',
          secondary: { host: 'dr1', volume: 'data-dr' },
          outcome: 'owed',
          found: [{ what: 'closing event on the engine', state: 'owed' }],
        },
      ],
    })
  })

  test('`recover --waive` refuses a number under which nothing is owed', async () => {
    const ended = await vmbackup(['recover', '--waive', '17'], { cwd: await aFolderWithConfig() })
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('nothing is owed under number 17')
  })

  test('`recover` has nothing to do where there is no state directory, and makes none to look', async () => {
    const cwd = await aFolderWithConfig()
    const ended = await vmbackup(['recover', '--dry-run'], { cwd })
    expect(ended).toMatchObject({ code: 0, stdout: 'nothing is owed\n', stderr: '' })
    expect(existsSync(join(cwd, 'state'))).toBe(false)
  })

  test('takes --state-dir from the folder that it is called in, wherever the configuration lies', async () => {
    const config = join(await aFolderWithConfig(), 'backup.cfg')
    const cwd = aFolder()
    await vmbackup([...three, '-c', config, '--state-dir', 'here'], { cwd })
    expect(readdirSync(join(cwd, 'here'))).toContain('vmbackup.db')
  })

  test('ends with 5 and names the holder while another process holds the lock', async () => {
    const cwd = await aFolderWithConfig()
    mkdirSync(join(cwd, 'state'))
    using _held = lockVolume(join(cwd, 'state'), 'data')
    const ended = await vmbackup([...three, '--json'], { cwd })
    expect(ended.code).toBe(5)
    expect(documentOf(ended)).toMatchObject({
      outcome: 'locked',
      error: { message: expect.stringContaining(`pid ${process.pid} on `) },
    })
  })
})
