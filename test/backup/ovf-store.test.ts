import { rmSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { flawOfDocument } from '../../src/backup/ovf-store.ts'
import { planBackup } from '../../src/backup/plan.ts'
import type { DomainFacts } from '../../src/model/domain.ts'
import type { Disk } from '../../src/model/vm.ts'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage, seenEngine } from '../support/stage.ts'
import { aDisk, aVm, uuidOf } from '../support/vms.ts'
import { createVolumeFiles, ovfStores } from '../support/volume-files.ts'

type Stage = Awaited<ReturnType<typeof createStage>>

const dataOf = ({ image, volume }: (typeof ovfStores)[number]) =>
  vdsmLayout.filesOf(domain.id, image, volume).data

const atEndOf = (step: string, act: () => void) => (event: RunEvent) => {
  if (event.kind === 'step ended' && event.step === step) act()
}

async function namedOnSecondary({ replicated }: Stage): Promise<string[]> {
  const { signal } = new AbortController()
  const stores = await vdsmFormat.readOvfStores(replicated.secondaryDir, domain.id, undefined, signal)
  const { documents } = await vdsmFormat.documentsIn(stores)
  return documents.flatMap(({ volumes }) => volumes.map(({ volume }) => volume)).toSorted()
}

describe('the stores of VM documents', () => {
  test('name the bases on the secondary although the engine wrote them while the snapshots existed', async () => {
    await using stage = await createStage()
    let written: Promise<void> | undefined
    const report = await stage.run(
      {},
      {
        onEvent: atEndOf('withdraw earlier points', () => {
          written = stage.engine.writeOvfStores()
        }),
      },
    )
    await written
    expect(report.vms.map(({ state }) => state)).toEqual(['protected', 'protected'])
    expect(await namedOnSecondary(stage)).toEqual(
      [aDisk('db-disk1').volume, aDisk('web-disk1').volume].toSorted(),
    )
    expect(JSON.stringify(stage.events)).toContain('put back on the secondary')
  })

  test('are put back in the files that geo-replication knows, not in new ones', async () => {
    await using stage = await createStage()
    await stage.run()
    const inodes = () =>
      Promise.all(
        ovfStores.map(async (store) => (await stat(join(stage.replicated.secondaryDir, dataOf(store)))).ino),
      )
    const before = await inodes()
    await stage.run(
      {},
      {
        onEvent: atEndOf('withdraw earlier points', () => void stage.engine.writeOvfStores()),
      },
    )
    expect(await inodes()).toEqual(before)
  })

  test('that cannot be put back fail every VM: an import would find names of overlays', async () => {
    await using stage = await createStage()
    const report = await stage.run(
      {},
      {
        onEvent: atEndOf('merge', () => {
          for (const store of ovfStores) rmSync(join(stage.replicated.secondaryDir, dataOf(store)))
        }),
      },
    )
    expect(report.vms.filter(({ state }) => state === 'protected')).toEqual([])
  })
})

/** A domain with the disk of `web`, which has these volumes. */
function factsOf(volumes: string[]): DomainFacts {
  const image = aDisk('web-disk1').id
  const volume = { role: 'top', format: 'raw', legal: true, capacityBytes: 1, fileBytes: 1 } as const
  const facts = {
    image,
    isOvfStore: false,
    volumes: volumes.map((id) => ({ ...volume, volume: id })),
    flaws: [],
    blocksImport: false,
  }
  return { images: new Map([[image, facts]]), flaws: [] }
}

describe('a VM', () => {
  test('that the engine leaves out of the stores fails: it could not be registered', async () => {
    await using stage = await createStage()
    const { updateOvfStore } = stage.engine.hypervisor
    stage.engine.hypervisor.updateOvfStore = async (...args) => {
      await updateOvfStore(...args)
      await createVolumeFiles(stage.replicated.primaryDir, domain.id).writeOvfStores(
        [aVm('web')],
        ({ volume = '' }) => [volume],
      )
    }
    const report = await stage.run()
    expect(report.vms).toMatchObject([
      { name: 'db', state: 'failed', why: expect.stringContaining('the OVF_STORE has no document of it') },
      { name: 'web', state: 'protected' },
    ])
  })

  test('whose document also names a volume that was merged since fails before anything is replicated', async () => {
    await using stage = await createStage()
    const { updateOvfStore } = stage.engine.hypervisor
    stage.engine.hypervisor.updateOvfStore = async (...args) => {
      await updateOvfStore(...args)
      const volumesOf = ({ id, volume = '' }: Disk) =>
        id === aDisk('db-disk1').id ? [volume, uuidOf('merged since')] : [volume]
      const files = createVolumeFiles(stage.replicated.primaryDir, domain.id)
      await files.writeOvfStores([aVm('web'), aVm('db')], volumesOf)
    }
    const report = await stage.run()
    expect(report.vms).toMatchObject([
      { name: 'db', state: 'failed', why: expect.stringContaining(`names volume ${uuidOf('merged since')}`) },
      { name: 'web', state: 'protected' },
    ])
    expect(stage.engine.world.acts).not.toContain('snapshot db')
  })

  test('whose document names another volume fails: it could not start', () => {
    const [planned] = planBackup(domain, [aVm('web')], () => uuidOf('overlay'), seenEngine).vms
    if (planned === undefined) throw new Error('no plan')
    const { id, name } = planned
    const document = {
      id,
      name,
      text: '',
      volumes: [{ image: aDisk('web-disk1').id, volume: uuidOf('other') }],
    }
    const disk = { image: aDisk('web-disk1').id, volume: aDisk('web-disk1').volume ?? '' }
    const facts = factsOf([disk.volume])
    expect(flawOfDocument(planned, document, facts)).toContain(`does not name volume ${disk.volume}`)
    expect(flawOfDocument(planned, { ...document, volumes: [disk] }, facts)).toBeUndefined()
    const [overlay, elsewhere] = [uuidOf('merged since'), { image: uuidOf('elsewhere'), volume: uuidOf('x') }]
    const stale = { ...document, volumes: [disk, elsewhere, { ...disk, volume: overlay }] }
    expect(flawOfDocument(planned, stale, facts)).toContain(`names volume ${overlay}, which is not there`)
    expect(flawOfDocument(planned, stale, factsOf([disk.volume, overlay]))).toBeUndefined()
  })

  test('is in the manifest with the document that the stores had before the snapshots', async () => {
    await using stage = await createStage([aVm('web')])
    const report = await stage.run()
    const text = await readFile(join(stage.replicated.secondaryDir, report.manifest ?? ''), 'utf8')
    const ovf = gunzipSync(Buffer.from(JSON.parse(text).point.vms[0].ovf.gzip, 'base64')).toString()
    expect(ovf).toContain(`${aDisk('web-disk1').id}/${aDisk('web-disk1').volume}`)
  })
})
