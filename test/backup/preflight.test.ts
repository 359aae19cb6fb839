import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findDomain } from '../../src/backup/find-domain.ts'
import { inspect, preflight } from '../../src/backup/preflight.ts'
import { CommandFailed, Refused } from '../../src/model/errors.ts'
import type { Finding } from '../../src/model/finding.ts'
import type { VolumePair } from '../../src/model/replication.ts'
import type { StorageDomain } from '../../src/model/vm.ts'
import { aFolder } from '../run/a-folder.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage, quickOptions } from '../support/stage.ts'
import { aSnapshot, aVm } from '../support/vms.ts'
import { aRun } from './a-run.ts'

const pair: VolumePair = {
  primary: { volume: 'data', hosts: ['gp1', 'gp2'], sharded: false, replicated: true },
  secondary: { volume: 'data-dr', host: 'gs1' },
}

const aDomain = (name: string, change: Partial<StorageDomain> = {}): StorageDomain => ({
  ...domain,
  id: name,
  name,
  ...change,
})

describe('the storage domain', () => {
  test.each<[string, StorageDomain[], string | undefined, string]>([
    ['the only one on the volume', [aDomain('a'), aDomain('b', { path: '/other' })], undefined, 'a'],
    [
      'one that is reached by another name of its host',
      [aDomain('a', { address: 'storage.example.com' })],
      undefined,
      'a',
    ],
    [
      'of two with that volume name the one on hosts of the volume',
      [aDomain('a', { address: 'dr1' }), aDomain('b', { address: 'gp2' })],
      undefined,
      'b',
    ],
    ['one whose path has no slash', [aDomain('a', { path: 'data' })], undefined, 'a'],
    ['the one that the configuration names', [aDomain('a'), aDomain('b')], 'b', 'b'],
  ])('is %s', (_what, domains, name, found) => {
    expect(findDomain(domains, pair, name)).toMatchObject({ name: found })
  })

  test.each<[string, StorageDomain[], string | undefined, string]>([
    ['there is none at all', [], undefined, 'the engine has no storage domain on volume data; it knows none'],
    [
      'none lies on the volume',
      [aDomain('a', { path: '/data2' })],
      undefined,
      'it knows a (glusterfs gp1:/data2)',
    ],
    [
      'one of another kind has that path',
      [aDomain('a', { type: 'nfs' })],
      undefined,
      'no storage domain on volume data',
    ],
    [
      'two lie on it',
      [aDomain('a'), aDomain('b', { address: 'gp2' })],
      undefined,
      'more than one storage domain on volume data',
    ],
    [
      'two lie on other hosts',
      [aDomain('a', { address: 'x' }), aDomain('b', { address: 'y' })],
      undefined,
      'more than one',
    ],
    ['none has the name of the configuration', [aDomain('a')], 'A', 'no storage domain called A'],
    [
      'the one of that name lies on another volume',
      [aDomain('a', { path: '/other' })],
      'a',
      'glusterfs gp1:/other',
    ],
    ['the one of that name is of another kind', [aDomain('a', { type: 'nfs' })], 'a', 'nfs gp1:/data'],
  ])('is not to be had when %s, and all that is known is told', (_what, domains, name, words) => {
    const finding = findDomain(domains, pair, name)
    expect(finding).toMatchObject({ severity: 'error', what: expect.stringContaining(words) })
  })
})

async function onStage(change: (stage: Awaited<ReturnType<typeof createStage>>) => void, vms = [aVm('web')]) {
  await using stage = await createStage(vms)
  change(stage)
  const stateDir = aFolder()
  mkdirSync(join(stateDir, 'mnt'))
  const run = aRun({ stateDir })
  const site = { hypervisor: stage.engine.hypervisor, replication: stage.replicated.replication }
  const found = await inspect(run, site, quickOptions)
  const refusal = await preflight(run, site, quickOptions).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { found, refusal, mounts: readdirSync(join(stateDir, 'mnt')), acts: stage.engine.world.acts, run }
}

const aFinding = (subject: string, severity: Finding['severity'] = 'error'): Finding => ({
  severity,
  subject,
  what: `${subject} is wrong`,
  hint: `mend ${subject}`,
})

describe('preflight', () => {
  test('finds nothing on a good site, leaves no mount, and does no act', async () => {
    const { found, refusal, mounts, acts } = await onStage(() => undefined)
    expect(found.findings).toEqual([])
    expect(found.plan?.vms).toHaveLength(1)
    expect([refusal, mounts, acts]).toEqual([undefined, [], []])
  })

  test('lists what is wrong at both ends at once, with a hint for each', async () => {
    const { refusal } = await onStage(({ engine, replicated }) => {
      engine.faults.failing.about = 'wrong password'
      replicated.faults.findings = [aFinding('the clock'), aFinding('the session')]
    })
    expect(refusal).toBeInstanceOf(Refused)
    expect(String(refusal)).toContain('3 things to put right')
    expect(String(refusal)).toContain('wrong password')
    expect(String(refusal)).toContain('the clock is wrong')
    expect(String(refusal)).toContain('the session is wrong')
    expect(refusal).toMatchObject({ hint: expect.stringContaining('mend the clock | mend the session') })
  })

  test('refuses a limit that could not hold, where one is wanted', async () => {
    await using stage = await createStage([aVm('web')])
    stage.replicated.faults.limitFindings = [aFinding('the way of sending')]
    const wanted = await stage.run({ bandwidth: [{ value: 1_048_576 }] })
    expect(wanted.outcome).toBe('refused')
    expect(wanted.error?.message).toContain('the way of sending is wrong')
    expect((await stage.run()).outcome).toBe('protected')
  })

  test('refuses a volume that bears the right name and does not hold the storage domain', async () => {
    const { refusal } = await onStage(({ replicated }) => {
      renameSync(join(replicated.primaryDir, domain.id), join(replicated.primaryDir, 'another'))
    })
    expect(refusal).toBeInstanceOf(Refused)
    expect(String(refusal)).toContain('the engine means another volume of that name')
  })

  test('tells warnings and goes on', async () => {
    const { refusal, run } = await onStage(({ replicated }) => {
      replicated.faults.findings = [aFinding('the clock', 'warning')]
    })
    expect(refusal).toBeUndefined()
    expect(run.events).toContainEqual({
      kind: 'note',
      severity: 'warning',
      text: 'the clock: the clock is wrong; mend the clock',
    })
  })

  test.each<[string, { engine?: string; replication?: string }]>([
    ['the engine’s own checks', { engine: 'findings' }],
    ['the storage domains', { engine: 'domains' }],
    ['the VMs', { engine: 'vms' }],
    ['the replication', { replication: 'findings' }],
    ['what the volumes are', { replication: 'pair' }],
    ['the mount of the primary', { replication: 'openPrimary' }],
    ['the mount of the secondary', { replication: 'openSecondary' }],
  ])('refuses and says why when it cannot see %s', async (_what, broken) => {
    const words = 'cut off in the middle'
    const { found, refusal, acts } = await onStage(({ engine, replicated }) => {
      if (broken.engine !== undefined) Object.assign(engine.faults.failing, { [broken.engine]: words })
      if (broken.replication !== undefined)
        Object.assign(replicated.faults.failing, { [broken.replication]: words })
    })
    expect(found.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      { what: expect.stringContaining(words) },
    ])
    expect(refusal).toBeInstanceOf(Refused)
    expect(String(refusal)).toContain(words)
    expect(acts).toEqual([])
  })

  test('says once that the volume is not there, although two questions stumble over it', async () => {
    const { found } = await onStage(({ replicated }) => {
      replicated.faults.findings = [aFinding('the volume')]
      replicated.faults.failing.pair = 'it does not exist'
    })
    expect(found.findings).toHaveLength(1)
  })

  test('refuses a storage domain that is not active', async () => {
    const { refusal } = await onStage(({ engine }) => {
      const { hypervisor } = engine
      engine.hypervisor = { ...hypervisor, domains: async () => [{ ...domain, status: 'maintenance' }] }
    })
    expect(String(refusal)).toContain('it is maintenance, not active')
  })

  test('refuses when no VM there can be protected', async () => {
    const { refusal } = await onStage(() => undefined, [aVm('he', { hostedEngine: true })])
    expect(String(refusal)).toContain('no VM there can be protected')
  })

  test.each<[string, Finding['severity'], string]>([
    ['abc-TMPDR', 'error', 'own remote data sync'],
    ['vmbackup 20261120T000000Z-00000001', 'warning', 'knows nothing of'],
  ])('names the leftover snapshot "%s" as an %s', async (description, severity, words) => {
    const row = aSnapshot({ description })
    const { found } = await onStage(() => undefined, [aVm('web', { snapshots: [row] })])
    expect(found.findings).toMatchObject([
      { severity, subject: 'VM web', what: expect.stringContaining(words) },
    ])
  })

  test('is cancelled, not refused, when the signal comes while it looks', async () => {
    await using stage = await createStage()
    const reason = new CommandFailed('SIGTERM', { argv: [] })
    const report = await stage.run({}, { signal: AbortSignal.abort(reason) })
    expect(report.error?.message).toBe('SIGTERM')
  })
})
