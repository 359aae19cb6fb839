import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareFrozen } from '../../src/backup/compare.ts'
import type { BackupOptions } from '../../src/backup/options.ts'
import { planBackup, type VmPlan } from '../../src/backup/plan.ts'
import type { OpenVolume } from '../../src/model/replication.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { paceOf } from '../../src/point/pace.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { newestPoint } from '../point/a-point.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage, fakeClock, seenEngine, volumeAt } from '../support/stage.ts'
import { aDisk, aVm, uuidOf } from '../support/vms.ts'
import { aRun } from './a-run.ts'

type Stage = Awaited<ReturnType<typeof createStage>>

const disk = aDisk('db-disk1')
const { data } = vdsmLayout.filesOf(domain.id, disk.id, disk.volume ?? '')

/** Spoils the copy of `db` each time a step named here has ended, as often as `times`. */
function spoiling(stage: Stage, spoil: (file: string) => void, times = 1) {
  let left = times
  return (event: RunEvent): void => {
    if (event.kind !== 'step ended' || event.step !== 'look again' || left === 0) return
    left -= 1
    spoil(join(stage.replicated.secondaryDir, data))
  }
}

async function ran(stage: Stage, options: Partial<BackupOptions> = {}, onEvent?: (event: RunEvent) => void) {
  const report = await stage.run(options, onEvent === undefined ? {} : { onEvent })
  return { report, db: report.vms.find(({ name }) => name === 'db') }
}

const flip = (file: string) => writeFileSync(file, 'X', { flag: 'r+' })

describe('a copy that differs', () => {
  test.each<[string, (file: string) => void]>([
    ['in content', flip],
    ['in length', (file) => truncateSync(file, 7)],
    ['by being empty', (file) => truncateSync(file, 0)],
    ['by being absent', (file) => rmSync(file)],
    ['in its description', (file) => truncateSync(`${file}.meta`, 0)],
  ])('%s is sent again, compared again, and protected', async (_what, spoil) => {
    await using stage = await createStage()
    const { report, db } = await ran(stage, {}, spoiling(stage, spoil))
    expect(db).toMatchObject({ state: 'protected', content: 'samples' })
    expect(report.comparison).toMatchObject({ mode: 'quick', healed: 1 })
    expect(report.warnings.join()).toContain('sent again: disk db-disk1')
    expect(stage.steps().filter((step) => /heal|compare/.test(step))).toEqual([
      'compare',
      'heal',
      'compare again',
    ])
    const [here, there] = [stage.replicated.primaryDir, stage.replicated.secondaryDir]
    expect(await readFile(join(there, data))).toEqual(await readFile(join(here, data)))
  })

  test('is sent again no more often than configured, and then fails its VM alone', async () => {
    await using stage = await createStage()
    const { report, db } = await ran(stage, { healTurns: 3 }, spoiling(stage, flip, 10))
    expect(stage.steps().filter((step) => step === 'heal')).toHaveLength(3)
    expect(db).toMatchObject({ state: 'failed', why: expect.stringContaining('the copy is not the same') })
    expect(report.outcome).toBe('partly protected')
  })

  test('is proved by the point only after it was compared again: the digest is that of the healed file', async () => {
    await using stage = await createStage()
    await ran(stage, { compare: 'full' }, spoiling(stage, flip))
    const point = await newestPoint(stage.replicated.secondaryDir)
    const volume = point.vms.find(({ name }) => name === 'db')?.disks[0]?.chain?.[0]
    const sha256 = createHash('sha256')
      .update(await readFile(join(stage.replicated.primaryDir, data)))
      .digest('hex')
    expect(volume?.content).toEqual({ kind: 'full', sha256 })
  })
})

describe('the mode', () => {
  test('off compares nothing, says so loudly, and claims no content', async () => {
    await using stage = await createStage()
    const { report, db } = await ran(stage, { compare: 'off' })
    expect(report.comparison).toEqual({ mode: 'off', bytesRead: 0, healed: 0 })
    expect(report.warnings.join()).toContain('was not compared')
    expect(db).toMatchObject({ state: 'protected', content: 'none' })
  })

  test('full reads every byte', async () => {
    await using stage = await createStage()
    const { report, db } = await ran(stage, { compare: 'full', sampleBytes: 65_536 })
    expect(report.comparison).toEqual({ mode: 'full', bytesRead: 210_000 + 200_000, healed: 0 })
    expect(db).toMatchObject({ content: 'full' })
  })

  test('quick becomes full at the first run and when the last full one is so long ago', async () => {
    await using stage = await createStage()
    const modes = []
    for (const fullEveryMs of [3_600_000, 3_600_000, 1, undefined]) {
      const { report } = await ran(stage, fullEveryMs === undefined ? {} : { fullEveryMs })
      modes.push(report.comparison?.mode)
    }
    expect(modes).toEqual(['full', 'quick', 'full', 'quick'])
  })

  test('quick becomes full where the note of the last full one cannot be read', async () => {
    await using stage = await createStage()
    mkdirSync(stage.stateDir, { recursive: true })
    {
      using ledger = new Ledger(join(stage.stateDir, 'vmbackup.db'), 'data--gs1--data-dr')
      ledger.note('last full comparison', 'yesterday')
    }
    const { report } = await ran(stage, { fullEveryMs: 3_600_000 })
    expect(report.comparison?.mode).toBe('full')
  })

  test('a full comparison that found differences it could not heal does not count as the last one', async () => {
    await using stage = await createStage()
    const fullEveryMs = 3_600_000
    await ran(stage, { fullEveryMs, healTurns: 0 }, spoiling(stage, flip))
    const { report } = await ran(stage, { fullEveryMs })
    expect(report.comparison?.mode).toBe('full')
  })
})

test("a VM that failed before is not compared: its copy is nobody's claim", async () => {
  await using stage = await createStage()
  stage.engine.faults.snapshot['db'] = 'refused'
  const { report } = await ran(stage, { compare: 'full' })
  expect(report.comparison?.bytesRead).toBe(210_000)
})

test('a base that is written while its VM runs on an overlay is torn, whatever the comparison says', async () => {
  await using stage = await createStage()
  const { db } = await ran(stage, {}, (event) => {
    if (event.kind !== 'step ended' || event.step !== 'compare') return
    for (const dir of [stage.replicated.primaryDir, stage.replicated.secondaryDir]) {
      writeFileSync(join(dir, data), 'written', { flag: 'r+' })
    }
  })
  expect(db).toMatchObject({
    state: 'failed',
    why: expect.stringMatching(
      /^torn: volume .* of disk db-disk1 was written although the VM runs on an overlay/,
    ),
  })
})

describe('a turn of healing that fails', () => {
  test.each(['resend', 'start', 'mark'] as const)(
    'in "%s" fails the VMs that differ and no other',
    async (method) => {
      await using stage = await createStage()
      const { db, report } = await ran(stage, {}, (event) => {
        spoil(event)
        if (event.kind === 'step ended' && event.step === 'compare')
          stage.replicated.faults.failing[method] = 'EIO'
      })
      function spoil(event: RunEvent): void {
        if (event.kind !== 'step ended' || event.step !== 'look again') return
        flip(join(stage.replicated.secondaryDir, data))
      }
      expect(report.error).toBeUndefined()
      expect(db).toMatchObject({
        state: 'failed',
        why: expect.stringMatching(/not the same: .*; sending it again failed: .*EIO/),
      })
      expect(report.vms.find(({ name }) => name === 'web')).toMatchObject({ state: 'protected' })
      expect(stage.owed()).toEqual([])
    },
  )

  test('because the checkpoint is not reached stops the session before anything is merged', async () => {
    await using stage = await createStage()
    const { db, report } = await ran(stage, {}, (event) => {
      if (event.kind === 'step ended' && event.step === 'look again')
        flip(join(stage.replicated.secondaryDir, data))
      if (event.kind === 'step ended' && event.step === 'compare') stage.replicated.faults.faulty = true
      if (event.kind === 'step began' && event.step === 'merge') stage.replicated.faults.faulty = false
    })
    expect(db).toMatchObject({ state: 'failed' })
    expect(report.vms.find(({ name }) => name === 'web')).toMatchObject({ state: 'protected' })
    expect((await stage.replicated.replication.session(new AbortController().signal)).state).toBe('stopped')
  })
})

test("data without a description, which is no volume to the hosts, is nobody's business", async () => {
  await using stage = await createStage()
  writeFileSync(join(stage.replicated.primaryDir, dirname(data), uuidOf('left by a failed upload')), 'x')
  const { db } = await ran(stage)
  expect(db).toMatchObject({ state: 'protected' })
})

test('a volume that has several names, as that of a template, is read once', async () => {
  await using stage = await createStage()
  const opened: string[] = []
  const dirs = { primary: stage.replicated.primaryDir, secondary: stage.replicated.secondaryDir }
  for (const dir of Object.values(dirs)) {
    mkdirSync(join(dir, dirname(data)), { recursive: true })
    writeFileSync(join(dir, data), 'content of a template')
    writeFileSync(join(dir, `${data}.meta`), 'its description')
  }
  const other = vdsmLayout.filesOf(domain.id, aDisk('web-disk1').id, disk.volume ?? '').data
  for (const dir of Object.values(dirs)) {
    mkdirSync(join(dir, dirname(other)), { recursive: true })
    linkSync(join(dir, data), join(dir, other))
    linkSync(join(dir, `${data}.meta`), join(dir, `${other}.meta`))
  }
  const counted = (dir: string): OpenVolume => {
    const volume = volumeAt(dir)
    return {
      ...volume,
      open(path, signal) {
        opened.push(path)
        return volume.open(path, signal)
      },
    }
  }
  const vm = (name: string) =>
    planBackup(domain, [aVm(name)], () => uuidOf('overlay'), seenEngine).vms[0] as VmPlan
  const files = [
    { vm: vm('db'), disk: { ...disk }, volume: disk.volume ?? '', data },
    { vm: vm('web'), disk: { ...disk, id: aDisk('web-disk1').id }, volume: disk.volume ?? '', data: other },
  ]
  const { differences, bytesRead } = await compareFrozen(aRun(), files, {
    site: { hypervisor: stage.engine.hypervisor, replication: stage.replicated.replication },
    ends: { primary: counted(dirs.primary), secondary: counted(dirs.secondary) },
    domain: domain.id,
    mode: 'full',
    sampleBytes: 65_536,
    imagesAtOnce: 4,
    pace: paceOf(undefined, fakeClock()),
  })
  expect(differences).toEqual([])
  expect([opened.length, bytesRead]).toEqual([2, 'content of a template'.length])
})
