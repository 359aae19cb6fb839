import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { listPoints } from '../../src/point/points.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { newestPoint, verified } from '../point/a-point.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm, uuidOf } from '../support/vms.ts'

type Stage = Awaited<ReturnType<typeof createStage>>

const statuses = async ({ replicated }: Stage): Promise<string[]> =>
  (await listPoints(replicated.secondaryDir)).map(({ status }) => status)

/** What lies on the secondary at the beginning of a step. */
function seenAt(stage: Stage, step: string) {
  const seen: Promise<string[]>[] = []
  return {
    seen: () => Promise.all(seen),
    onEvent: (event: RunEvent) => {
      if (event.kind === 'step began' && event.step === step) seen.push(statuses(stage))
    },
  }
}

describe('the recovery points on the secondary', () => {
  test('are none that anybody may trust while replication writes over them', async () => {
    await using stage = await createStage()
    await stage.run()
    expect(await statuses(stage)).toEqual(['ready'])
    const watch = seenAt(stage, 'replicate')
    await stage.run({}, watch)
    expect(await watch.seen()).toEqual([['unfinished', 'overwritten']])
    expect(await statuses(stage)).toEqual(['ready', 'overwritten'])
  })

  test('stay as they were when a run ends before it writes over them', async () => {
    await using stage = await createStage()
    await stage.run()
    stage.engine.faults.failing.updateOvfStore = 'no'
    await stage.run()
    expect(await statuses(stage)).toEqual(['ready'])
  })

  test('stay as they were when no VM is left that could be protected', async () => {
    await using stage = await createStage()
    await stage.run()
    for (const name of ['web', 'db']) stage.engine.faults.snapshot[name] = 'refused'
    const report = await stage.run()
    expect(report).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringContaining('no VM is left') },
      vms: [{ why: expect.stringContaining('Cannot create Snapshot') }, {}],
    })
    expect(await statuses(stage)).toEqual(['ready'])
  })

  test('stay as they were when the primary itself could not be imported', async () => {
    await using stage = await createStage()
    await stage.run()
    const junk = vdsmLayout.filesOf(domain.id, uuidOf('floating'), uuidOf('junk')).data
    mkdirSync(join(stage.replicated.primaryDir, dirname(junk)))
    writeFileSync(join(stage.replicated.primaryDir, `${junk}.meta`), 'half a descr')
    const report = await stage.run()
    expect(report).toMatchObject({
      outcome: 'failed',
      error: {
        message: expect.stringContaining(`image ${uuidOf('floating')} keeps an engine from importing`),
      },
    })
    expect(await statuses(stage)).toEqual(['ready'])
    expect(stage.engine.world.acts.filter((act) => act === 'snapshot web')).toHaveLength(1)
  })

  test('are unfinished after a run that failed while it wrote', async () => {
    await using stage = await createStage()
    await stage.run()
    stage.replicated.faults.failing.progress = 'broken'
    await stage.run()
    expect(await statuses(stage)).toEqual(['unfinished', 'overwritten'])
    delete stage.replicated.faults.failing.progress
    await stage.run()
    expect(await statuses(stage)).toEqual(['ready', 'overwritten', 'overwritten'])
  })

  test('are kept to twenty', async () => {
    await using stage = await createStage([aVm('web')])
    for (let run = 0; run < 23; run += 1) await stage.run()
    expect(await statuses(stage)).toEqual(['ready', ...Array(19).fill('overwritten')])
  })
})

test('a run whose manifest cannot be written is failed, and nothing is claimed on the secondary', async () => {
  await using stage = await createStage()
  const dir = join(stage.replicated.secondaryDir, 'vmbackup')
  const report = await stage.run(
    {},
    {
      onEvent(event) {
        if (event.kind !== 'step began' || event.step !== 'write manifest') return
        rmSync(dir, { recursive: true })
        writeFileSync(dir, 'in the way')
      },
    },
  )
  expect(report).toMatchObject({
    outcome: 'failed',
    error: { message: expect.stringContaining('cannot write the manifest') },
  })
  expect(report).not.toHaveProperty('manifest')
})

test('the manifest says of each VM what became of it and why, and gives chains of protected ones only', async () => {
  await using stage = await createStage([
    aVm('web', { guestAgent: true, disks: [aDisk('web-disk1'), aDisk('web-disk2')] }),
    aVm('db'),
    aVm('spare', { status: 'down' }),
    aVm('he', { hostedEngine: true }),
  ])
  stage.engine.faults.snapshot['db'] = 'refused'
  await stage.run({ compare: 'full' })
  const point = await newestPoint(stage.replicated.secondaryDir)
  expect(point).toMatchObject({
    domain: { id: domain.id, name: domain.name, blockBytes: 512 },
    primary: { volume: 'data' },
    secondary: { host: 'gs1', volume: 'data-dr' },
    engine: 'fake engine',
    comparison: { mode: 'full' },
    ovfStores: [{ bytes: expect.any(Number) }, { bytes: expect.any(Number) }],
  })
  expect(
    point.vms.map(({ name, state, consistency, ran, why, disks }) => [
      name,
      state,
      consistency,
      ran,
      why !== undefined,
      disks.map(({ chain }) => chain?.map(({ role, content }) => `${role} ${content?.kind}`)),
    ]),
  ).toEqual([
    ['db', 'failed', undefined, true, true, [undefined]],
    ['he', 'left out', undefined, true, true, [undefined]],
    ['spare', 'protected', 'offline', false, false, [['top full']]],
    ['web', 'protected', 'frozen', true, false, [['top full'], ['top full']]],
  ])
  for (const vm of point.vms.filter(({ state }) => state === 'protected')) {
    expect(vm).toMatchObject({ asOf: { earliest: expect.any(String) }, ovf: { gzip: expect.any(String) } })
  }
})

describe('a merge that fails run after run', () => {
  const { data } = vdsmLayout.filesOf(domain.id, aDisk('web-disk1').id, aDisk('web-disk1').volume ?? '')

  test('fails its VM each time, has its overlay sent again, and leaves both sides clean in the end', async () => {
    await using stage = await createStage([aVm('web')])
    const resent: string[][] = []
    const { resend } = stage.replicated.replication
    stage.replicated.replication.resend = async (ends, files, signal) => {
      resent.push([...files])
      await resend(ends, files, signal)
    }
    stage.engine.faults.merges['web'] = 1_000
    const first = await stage.run()
    expect(resent).toEqual([])
    const overlaysOfFirst = (await stage.files('primaryDir')).filter((file) => !file.startsWith(data))
    expect(overlaysOfFirst.length).toBeGreaterThan(0)

    const second = await stage.run()
    expect(resent.flat()).toEqual(expect.arrayContaining(overlaysOfFirst))
    expect(second.vms).toMatchObject([{ state: 'failed', why: expect.stringContaining('not merged') }])
    expect([first, second].map(({ leftOpen }) => leftOpen.length > 0)).toEqual([true, true])

    stage.engine.faults.merges['web'] = 0
    const third = await stage.run()
    expect(third).toMatchObject({ outcome: 'protected', leftOpen: [] })
    const files = await stage.files('primaryDir')
    expect(files.filter((file) => !file.startsWith(data))).toEqual([])
    expect(await stage.files('secondaryDir')).toEqual(files)
    expect(stage.owed()).toEqual([])
  })

  test('once, then succeeds for the next snapshot only: that point stands on the old overlay, and is proved', async () => {
    await using stage = await createStage([aVm('web')])
    stage.engine.faults.merges['web'] = 1_000
    await stage.run()
    // All tries of settling at the start; the run's own merge succeeds.
    stage.engine.faults.merges['web'] = 3
    const second = await stage.run()
    expect(second.vms).toMatchObject([{ name: 'web', state: 'protected' }])
    expect(second.warnings.join()).toContain('left by an earlier run: merge of snapshot')
    const chain = async () => {
      const point = await newestPoint(stage.replicated.secondaryDir)
      return point.vms[0]?.disks[0]?.chain?.map(({ role }) => role)
    }
    expect(await chain()).toEqual(['internal', 'top'])
    expect(await verified(stage.replicated.secondaryDir)).toMatchObject({ verdict: 'proved' })

    // The next start merges it, on the primary: the point on the secondary still stands on the overlay.
    stage.replicated.faults.failing.mark = 'broken'
    const broken = await stage.run()
    delete stage.replicated.faults.failing.mark
    expect(broken.outcome).toBe('failed')
    const overlays = (await stage.files('secondaryDir')).filter((file) => !file.startsWith(data))
    expect(overlays).not.toEqual([])
    expect((await stage.files('primaryDir')).filter((file) => !file.startsWith(data))).toEqual([])

    const last = await stage.run()
    expect(last).toMatchObject({ outcome: 'protected', leftOpen: [] })
    expect(await stage.files('secondaryDir')).toEqual(await stage.files('primaryDir'))
    expect(await chain()).toEqual(['top'])
    expect(await verified(stage.replicated.secondaryDir)).toMatchObject({ verdict: 'proved' })
    expect(stage.owed()).toEqual([])
  })

  test('refuses the VM when three snapshots are stacked: each run would make its chain longer', async () => {
    await using stage = await createStage([aVm('web')])
    stage.engine.faults.merges['web'] = 1_000
    for (let run = 0; run < 3; run += 1) await stage.run()
    const report = await stage.run()
    expect(report.vms).toMatchObject([{ state: 'failed', why: expect.stringMatching(/merge|snapshot/) }])
    expect(stage.engine.world.acts.filter((act) => act === 'snapshot web')).toHaveLength(3)
  })
})
