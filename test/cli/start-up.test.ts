import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseArgs } from '../../src/cli/args.ts'
import { aFolder } from '../run/a-folder.ts'

const root = new URL('../..', import.meta.url).pathname
const listing = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  import { writeSync } from 'node:fs'
  registerHooks({ load(url, context, next) { writeSync(2, 'loaded ' + url + '\\n'); return next(url, context) } })
`)}`

/** What a command loads until it ends: files of ours below `src`, and packages by name. */
function loadedBy(...argv: string[]): { stdout: string; files: string[]; packages: string[] } {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', listing, `${root}src/main.ts`, ...argv],
    {
      cwd: aFolder(),
      encoding: 'utf8',
    },
  )
  const urls = stderr.split('\n').flatMap((line) => /^loaded file:\/\/(.*)$/.exec(line)?.[1] ?? [])
  const packages = urls.flatMap((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [])
  return {
    stdout,
    files: urls.filter((url) => !url.includes('node_modules')).map((url) => url.replace(`${root}src/`, '')),
    packages: [...new Set(packages)].sort(),
  }
}

describe('the version and the help', () => {
  test.each(['-V', '--version'])('%s loads one file and no package', (option) => {
    const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }
    expect(loadedBy(option)).toEqual({ stdout: `${version}\n`, files: ['main.ts'], packages: [] })
  })

  test.each(['-h', '--help'])('%s loads one file and no package', (option) => {
    const help = readFileSync(`${root}src/cli/help.txt`, 'utf8')
    expect(loadedBy(option)).toEqual({ stdout: help, files: ['main.ts'], packages: [] })
  })

  test('are what the command line itself would say', async () => {
    const asked = parseArgs(['--help'], '1.2.3')
    expect(asked.kind === 'say' ? asked.text : undefined).toContain('Exit codes:')
    if (asked.kind === 'say') await expect(asked.text).toMatchFileSnapshot('../../src/cli/help.txt')
    expect(parseArgs(['--version'], '1.2.3')).toEqual({ kind: 'say', text: '1.2.3\n' })
  })
})

test('package and image hold the help, which is no part of what is built', () => {
  const { files } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { files: string[] }
  expect(files).toContain('src/cli/help.txt')
  const copied = 'COPY src/cli/help.txt /opt/vmbackup/src/cli/'
  expect(readFileSync(`${root}docker/Dockerfile`, 'utf8')).toContain(copied)
})

test('the help of a command and a mistake in the command line load what reads it, and nothing that acts', () => {
  expect(loadedBy('status', '--help').packages).toEqual(['commander', 'picocolors'])
  expect(loadedBy('no-such-command').packages).toEqual(['commander', 'picocolors'])
})

test('a look at the agent loads no way to run programs, to serve, to draw or to write a log', () => {
  const { files, packages } = loadedBy('status')
  expect(files).toContain('commands/status.ts')
  const others = [
    'execa',
    'fastify',
    'fast-xml-parser',
    'log-update',
    'nodemailer',
    'pino',
    'prom-client',
    'tar-stream',
  ]
  expect(packages.filter((name) => others.includes(name))).toEqual([])
})

test('a run without terminal and log file loads what neither draws nor logs', () => {
  const { files, packages } = loadedBy('data', 'dr1', 'data-dr')
  expect(files).toContain('commands/run.ts')
  const others = ['fastify', 'log-update', 'nodemailer', 'pino', 'pino-pretty', 'prom-client']
  expect(packages.filter((name) => others.includes(name))).toEqual([])
})
