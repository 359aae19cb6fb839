import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { lockVolume } from '../../src/run/lock.ts'
import type { Report } from '../../src/run/report.ts'
import { otherDomain } from '../support/memory-hypervisor.ts'
import { createTwoPairs, onOther } from '../support/two-pairs.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { claimsOf, litterOf, statesOf, whysOf } from './pairs-after.ts'

type Reports = readonly [Report, Report]

/** One VM alone on each volume goes on; those on both have failed on both. */
const sharedFailed = [
  { both: 'failed', idle: 'failed', left: 'protected' },
  { both: 'failed', idle: 'failed', right: 'protected' },
]
const bothFailed = sharedFailed.map((states) => ({ ...states, idle: 'protected' }))

/** At the beginning of a step of one of the runs. */
const whenBegins = (run: 0 | 1, step: string, act: () => void) => ({
  onEvent(at: number, event: { kind: string; step?: string }) {
    if (at === run && event.kind === 'step began' && event.step === step) act()
  },
})

describe('a run that cannot begin', () => {
  test.each([0, 1] as const)(
    'because volume %i is locked fails the VMs it shares, and no others',
    async (at) => {
      await using pairs = await createTwoPairs()
      const volume = ['data', 'data2'][at] ?? ''
      using _held = lockVolume(pairs.stages[0].stateDir, volume)
      const reports = await pairs.run()
      expect(reports[at].outcome).toBe('locked')
      expect(statesOf(reports)[1 - at]).toEqual(sharedFailed[1 - at])
      expect(whysOf(reports, 'both')[1 - at]).toContain(
        `disk both-${at + 1} lies on volume ${volume}, whose run has ended: another run`,
      )
      expect(pairs.engine.world.acts).not.toContain('snapshot both')
      expect(await litterOf(pairs)).toEqual([])
    },
  )

  test.each([0, 1] as const)('because preflight refuses run %i does the same', async (at) => {
    await using pairs = await createTwoPairs()
    pairs.stages[at].replicated.faults.findings = [
      { severity: 'error', subject: 'session', what: 'it does not exist', hint: 'create it' },
    ]
    const reports = await pairs.run()
    expect(reports[at].outcome).toBe('refused')
    expect(statesOf(reports)[1 - at]).toEqual(sharedFailed[1 - at])
    expect(whysOf(reports, 'both')[1 - at]).toContain('it does not exist')
    expect(await litterOf(pairs)).toEqual([])
  })
})

describe('a VM on both volumes', () => {
  test.each(['refused', 'job fails', 'doubtful', 'never ends', 'request lost', 'answer lost'] as const)(
    'whose snapshot is "%s" has one fate in both runs',
    async (fault) => {
      await using pairs = await createTwoPairs()
      pairs.engine.faults.snapshot['both'] = fault
      const reports = await pairs.run()
      const expected = fault === 'answer lost' ? 'protected' : 'failed'
      expect(statesOf(reports)).toMatchObject([
        { both: expected, left: 'protected' },
        { both: expected, right: 'protected' },
      ])
      const [why, other] = whysOf(reports, 'both')
      if (expected === 'failed') expect(other).toBe(`on volume data: ${why}`)
      pairs.engine.world.pending.length = 0
      pairs.engine.faults.snapshot = {}
      if (fault !== 'never ends') expect(await litterOf(pairs)).toEqual([])
    },
  )

  test.each([0, 1] as const)(
    'whose disk differs on copy %i fails in both, and both manifests say so',
    async (at) => {
      await using pairs = await createTwoPairs()
      const { id, volume = '' } = at === 0 ? aDisk('both-1') : onOther('both-2')
      const domain = pairs.stages[at].replicated === pairs.stages[0].replicated ? undefined : otherDomain.id
      const { data } = vdsmLayout.filesOf(domain ?? '5d000000-0000-4000-8000-000000000001', id, volume)
      pairs.stages[at].replicated.faults.lost = [data]
      const reports = await pairs.run()
      expect(statesOf(reports)).toEqual(bothFailed)
      const whys = whysOf(reports, 'both')
      expect(whys[at]).toContain('the copy is not the same')
      expect(whys[1 - at]).toBe(`on volume ${at === 0 ? 'data' : 'data2'}: ${whys[at]}`)
      expect(await claimsOf(pairs, 'both')).toEqual(['failed', 'failed'])
      expect(await litterOf(pairs)).toEqual([])
    },
  )

  test('that is refused for a disk on one of them is refused on both', async () => {
    const disks = [aDisk('web-1'), { ...onOther('web-2'), status: 'illegal' as const }]
    await using pairs = await createTwoPairs([
      aVm('web', { disks }),
      aVm('left'),
      aVm('right', { disks: [onOther('right-1')] }),
    ])
    const reports = await pairs.run()
    expect(whysOf(reports, 'web')).toEqual(['disk web-2 is illegal', 'disk web-2 is illegal'])
    expect(statesOf(reports)).toMatchObject([{ left: 'protected' }, { right: 'protected' }])
  })

  test('that is started between the two looks at it fails in both', async () => {
    await using pairs = await createTwoPairs()
    const { hypervisor, world } = pairs.engine
    const idle = world.vms.find(({ name }) => name === 'idle')
    let looks = 0
    pairs.engine.hypervisor = {
      ...hypervisor,
      async vms(domain, signal) {
        looks += 1
        if (looks === 2 && idle !== undefined) idle.status = 'up'
        return hypervisor.vms(domain, signal)
      },
    }
    const reports = await pairs.run()
    expect(whysOf(reports, 'idle').map((why) => why?.includes('the VM changed while'))).toEqual([true, true])
    expect(statesOf(reports)).toMatchObject([{ both: 'protected' }, { both: 'protected' }])
    expect(await litterOf(pairs)).toEqual([])
  })

  test('whose merge fails for ever is owed by both runs, and either `recover` alone puts its own side right', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      await using pairs = await createTwoPairs()
      pairs.engine.faults.merges['both'] = 1_000
      const reports = await pairs.run()
      expect(statesOf(reports)).toEqual(bothFailed)
      expect(whysOf(reports, 'both')[1]).toContain('on volume data: its snapshot is not merged')
      expect(pairs.stages.map((stage) => stage.owed())).toEqual([
        ['snapshot', 'overlays'],
        ['snapshot', 'overlays'],
      ])
      pairs.engine.faults.merges = {}
      for (const at of order) {
        expect((await pairs.stages[at].recover()).outcome).toBe('settled')
        expect(pairs.stages[at].owed()).toEqual([])
      }
      expect(await litterOf(pairs)).toEqual([])
    }
  })
})

describe('a run that ends early', () => {
  test.each([0, 1] as const)(
    'because replication %i takes too long leaves the other its own VMs',
    async (at) => {
      await using pairs = await createTwoPairs()
      pairs.stages[at].replicated.faults.stalledStarts = 1_000
      const reports = await pairs.run({ replicationMs: 300_000 })
      expect(reports[at].outcome).toBe('failed')
      expect(statesOf(reports)[1 - at]).toEqual(sharedFailed[1 - at])
      const volume = ['data', 'data2'][at]
      expect(whysOf(reports, 'both')[1 - at]).toContain(
        `on volume ${volume}: the run ended early: waited 300 s`,
      )
      expect(await litterOf(pairs)).toEqual([])
    },
  )

  test.each([0, 1] as const)(
    'because its image cannot be proved on copy %i fails it in both manifests',
    async (at) => {
      await using pairs = await createTwoPairs()
      const domain = at === 0 ? '5d000000-0000-4000-8000-000000000001' : otherDomain.id
      const { id, volume = '' } = at === 0 ? aDisk('both-1') : onOther('both-2')
      const meta = join(
        pairs.stages[at].replicated.secondaryDir,
        vdsmLayout.descriptionOf(domain, id, volume),
      )
      const reports = await pairs.run(
        {},
        whenBegins(at, 'prove', () => {
          writeFileSync(meta, readFileSync(meta, 'utf8').replace('LEGALITY=LEGAL', 'LEGALITY=ILLEGAL'))
        }),
      )
      expect(statesOf(reports)).toEqual(bothFailed)
      expect(whysOf(reports, 'both')[at]).toContain('on the secondary: ')
      expect(await claimsOf(pairs, 'both')).toEqual(['failed', 'failed'])
    },
  )

  test.each([0, 1] as const)(
    'because manifest %i cannot be written takes the claim out of the other, too',
    async (at) => {
      await using pairs = await createTwoPairs()
      const points = join(pairs.stages[at].replicated.secondaryDir, 'vmbackup', 'points')
      const spoil = whenBegins(at, 'write manifest', () => {
        rmSync(points, { recursive: true })
        writeFileSync(points, 'in the way')
      })
      const reports: Reports = await pairs.run({}, spoil)
      expect(reports[at].outcome).toBe('failed')
      expect([statesOf(reports)[1 - at], reports[1 - at]?.error]).toEqual([sharedFailed[1 - at], undefined])
      expect(whysOf(reports, 'both')[1 - at]).toContain('cannot write the manifest')
      await rm(points)
      expect((await claimsOf(pairs, 'both'))[1 - at]).toBe('failed')
      expect(await litterOf(pairs)).toEqual([])
    },
  )

  test.each([0, 1] as const)(
    'for want of space on volume %i while the other still replicates merges at once, and keeps its own VMs',
    async (at) => {
      await using pairs = await createTwoPairs()
      const { faults } = pairs.stages[at].replicated
      for (const { replicated } of pairs.stages) replicated.faults.slowLooks = 60
      faults.slowLooks = 0
      const short = whenBegins(at, 'merge', () => {
        faults.freeBytes = 1
      })
      const reports = await pairs.run({ minFree: { bytes: 2 }, intervalMs: 100 }, short)
      expect(statesOf(reports)[at]).toMatchObject({
        both: 'failed',
        [at === 0 ? 'left' : 'right']: 'protected',
      })
      expect(statesOf(reports)[1 - at]).toMatchObject({ both: 'failed' })
      expect(whysOf(reports, 'both')[at]).toContain('bytes are free')
      expect(await litterOf(pairs)).toEqual([])
    },
  )
})
