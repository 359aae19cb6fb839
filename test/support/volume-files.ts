import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk, Overlay } from '../../src/model/vm.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'

const noParent = '00000000-0000-0000-0000-000000000000'

/** The files of volumes as vdsm would keep them for one storage domain under a directory. */
export function createVolumeFiles(root: string, domain: string) {
  const at = (image: string, volume: string) => join(root, vdsmLayout.filesOf(domain, image, volume).data)

  async function describe(image: string, volume: string, voltype: string, parent: string): Promise<void> {
    const lines = [
      'CAP=1048576',
      'CTIME=1700000000',
      'DESCRIPTION={"DiskAlias":"d"}',
      'DISKTYPE=DATA',
      `DOMAIN=${domain}`,
      'FORMAT=RAW',
      'GEN=0',
      `IMAGE=${image}`,
      'LEGALITY=LEGAL',
      `PUUID=${parent}`,
      'TYPE=SPARSE',
      `VOLTYPE=${voltype}`,
      'EOF',
    ]
    await writeFile(`${at(image, volume)}.meta`, `${lines.join('\n')}\n`)
  }

  return {
    async make({ id, name, volume }: Disk): Promise<void> {
      if (volume === undefined) return
      await mkdir(join(root, vdsmLayout.directoryOf(domain, id)), { recursive: true })
      await writeFile(at(id, volume), `content of ${name} `.repeat(10_000))
      await writeFile(`${at(id, volume)}.lease`, 'lease')
      await describe(id, volume, 'LEAF', noParent)
    },
    async addOverlay({ image, base, overlay }: Overlay): Promise<void> {
      await describe(image, base, 'INTERNAL', noParent)
      await writeFile(at(image, overlay), 'overlay')
      await writeFile(`${at(image, overlay)}.lease`, 'lease')
      await describe(image, overlay, 'LEAF', base)
    },
    async merge({ image, base, overlay }: Overlay): Promise<void> {
      for (const file of vdsmLayout.filesOf(domain, image, overlay).inRemovalOrder) {
        await rm(join(root, file), { force: true })
      }
      await describe(image, base, 'LEAF', noParent)
    },
  }
}
