import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { parseArgs } from '../../src/cli/args.ts'
import { paintFor } from '../../src/cli/paint.ts'
import { points, verify } from '../../src/commands/points.ts'
import type { Terminal } from '../../src/commands/terminal.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'

/** Runs `vmbackup ...argv --at DIR` in this process. */
async function vmbackup(dir: string, ...argv: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const paint = paintFor({}, {})
  const terminal = {
    stdout,
    stderr,
    paintOut: paint,
    paintErr: paint,
    env: {},
    version: '1.2.3',
    signal: () => new AbortController().signal,
  } as unknown as Terminal
  const asked = parseArgs([...argv, '--at', dir], '1.2.3')
  if (asked.kind !== 'points' && asked.kind !== 'verify') throw new Error(asked.kind)
  try {
    const code = await (asked.kind === 'points' ? points(asked, terminal) : verify(asked, terminal))
    stdout.end()
    stderr.end()
    return { code, stdout: await text(stdout), stderr: await text(stderr) }
  } finally {
    stdout.destroy()
  }
}

async function aSecondary() {
  const stage = await createStage([aVm('web'), aVm('db'), aVm('he', { hostedEngine: true })])
  const runs = [(await stage.run()).run, (await stage.run()).run]
  return { stage, dir: stage.replicated.secondaryDir, runs }
}

describe('vmbackup points', () => {
  test('prints a line for each point, newest first, with age, state and counts', async () => {
    const { stage, dir, runs } = await aSecondary()
    await using _ = stage
    const { code, stdout } = await vmbackup(dir, 'points')
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^POINT +AGE +STATE +PROTECTED +FAILED +LEFT OUT +COMPARED +NOTE/)
    expect(lines[2]).toMatch(new RegExp(`^${runs[1]} +\\d+ \\w+ +ready +2 +0 +1 +quick`))
    expect(lines[3]).toMatch(new RegExp(`^${runs[0]} .* overwritten by ${runs[1]}`))
    expect(lines).toHaveLength(4)
    expect(code).toBe(0)
  })

  test('prints one JSON document for programs', async () => {
    const { stage, dir, runs } = await aSecondary()
    await using _ = stage
    const { stdout } = await vmbackup(dir, 'points', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      points: [
        { run: runs[1], status: 'ready', protected: 2, failed: 0, leftOut: 1, ageMs: expect.any(Number) },
        { run: runs[0], status: 'overwritten' },
      ],
    })
  })

  test('says so when there is none', async () => {
    await using stage = await createStage()
    const { code, stdout } = await vmbackup(stage.replicated.secondaryDir, 'points')
    expect([code, stdout]).toEqual([0, 'there is no recovery point on this volume\n'])
  })
})

describe('vmbackup verify', () => {
  test('proves the newest point, VM by VM, and exits with 0', async () => {
    const { stage, dir, runs } = await aSecondary()
    await using _ = stage
    const { code, stdout, stderr } = await vmbackup(dir, 'verify')
    expect(stdout).toMatch(/^db +proved +samples/m)
    expect(stdout).toMatch(/^he +not claimed .*hosted engine/m)
    expect(stdout).toMatch(new RegExp(`proved: recovery point ${runs[1]}, 2 of 2 VMs`))
    expect(stderr).toBe('db: proved (1/2)\nweb: proved (2/2)\n')
    expect(code).toBe(0)
  })

  test('refutes a spoilt one with the reason beside the VM, and exits with 1', async () => {
    const { stage, dir } = await aSecondary()
    await using _ = stage
    const disk = aDisk('db-disk1')
    truncateSync(join(dir, vdsmLayout.filesOf(domain.id, disk.id, disk.volume ?? '').data), 0)
    const { code, stdout, stderr } = await vmbackup(dir, 'verify', '--quiet')
    expect(stdout).toMatch(/^db +refuted .*has 0 bytes/m)
    expect(stdout).toMatch(/^web +proved/m)
    expect(stdout).toMatch(/refuted: recovery point .*, 1 of 2 VMs/)
    expect([code, stderr]).toEqual([1, ''])
  })

  test('refutes a point that was overwritten since, and tells by which', async () => {
    const { stage, dir, runs } = await aSecondary()
    await using _ = stage
    const { code, stdout } = await vmbackup(dir, 'verify', runs[0] ?? '', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      points: [{ verdict: 'refuted', flaws: [`its images have been overwritten since by run ${runs[1]}`] }],
    })
    expect(code).toBe(1)
  })

  test.each([
    [['nowhere'], 'no recovery point is called nowhere'],
    [['2'], 'more than one recovery point is called 2'],
  ])('refuses the name %j', async (names, words) => {
    const { stage, dir } = await aSecondary()
    await using _ = stage
    await expect(vmbackup(dir, 'verify', ...names)).rejects.toThrow(words)
  })

  test('fails where there is no point at all', async () => {
    await using stage = await createStage()
    await expect(vmbackup(stage.replicated.secondaryDir, 'verify')).rejects.toThrow(
      'there is no recovery point',
    )
  })
})
