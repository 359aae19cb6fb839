import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import type { Disk, Overlay, Vm } from '../../src/model/vm.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'

const noParent = '00000000-0000-0000-0000-000000000000'

/** Image and volume of the two stores of VM documents. */
export const ovfStores = [
  { image: '0f500000-0000-4000-8000-000000000001', volume: '0f510000-0000-4000-8000-000000000001' },
  { image: '0f500000-0000-4000-8000-000000000002', volume: '0f510000-0000-4000-8000-000000000002' },
]

/** The files of one storage domain under a directory, as vdsm and the engine would keep them. */
export function createVolumeFiles(root: string, domain: string) {
  const at = (image: string, volume: string) => join(root, vdsmLayout.filesOf(domain, image, volume).data)
  let writes = 0

  /** As vdsm does it: a new file takes the name. */
  async function describe(image: string, volume: string, values: Record<string, string>): Promise<void> {
    const all: Record<string, string> = {
      CTIME: '1700000000',
      DESCRIPTION: '{"DiskAlias":"d"}',
      DISKTYPE: 'DATA',
      DOMAIN: domain,
      FORMAT: 'RAW',
      GEN: '0',
      IMAGE: image,
      LEGALITY: 'LEGAL',
      PUUID: noParent,
      TYPE: 'SPARSE',
      VOLTYPE: 'LEAF',
      ...values,
    }
    const lines = Object.keys(all)
      .toSorted()
      .map((key) => `${key}=${all[key]}`)
    const file = `${at(image, volume)}.meta`
    await writeFile(`${file}.new`, `${lines.join('\n')}\nEOF\n`)
    await rename(`${file}.new`, file)
  }

  async function described(image: string, volume: string): Promise<Record<string, string>> {
    const text = await readFile(`${at(image, volume)}.meta`, 'utf8')
    const lines = text.split('\n').filter((line) => line.includes('='))
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    )
  }

  const redescribe = async (image: string, volume: string, values: Record<string, string>): Promise<void> =>
    describe(image, volume, { ...(await described(image, volume)), ...values })

  async function makeStore({ image, volume }: (typeof ovfStores)[number]): Promise<void> {
    await mkdir(join(root, vdsmLayout.directoryOf(domain, image)), { recursive: true })
    await writeFile(at(image, volume), Buffer.alloc(256 * 1024))
    await describe(image, volume, { CAP: '262144', DISKTYPE: 'OVFS', DESCRIPTION: '{"Updated":false}' })
  }

  return {
    describe: redescribe,

    /** What every domain has, VMs or not. */
    async makeDomain(): Promise<void> {
      const values = { BLOCK_SIZE: '512', CLASS: 'Data', SDUUID: domain, VERSION: '5' }
      const lines = Object.entries(values).map(([key, value]) => `${key}=${value}`)
      const seal = createHash('sha1').update(lines.toSorted().join('')).digest('hex')
      await mkdir(join(root, domain, 'dom_md'), { recursive: true })
      await writeFile(
        join(root, domain, 'dom_md', 'metadata'),
        `${[...lines, `_SHA_CKSUM=${seal}`].join('\n')}\n`,
      )
      for (const store of ovfStores) await makeStore(store)
    },

    async make({ id, name, volume }: Disk): Promise<void> {
      if (volume === undefined) return
      await mkdir(join(root, vdsmLayout.directoryOf(domain, id)), { recursive: true })
      const content = `content of ${name} `.repeat(10_000)
      await writeFile(at(id, volume), content)
      await writeFile(`${at(id, volume)}.lease`, 'lease')
      await describe(id, volume, { CAP: String(content.length) })
    },

    async addOverlay({ image, base, overlay }: Overlay): Promise<void> {
      const { CAP = '' } = await described(image, base)
      await redescribe(image, base, { VOLTYPE: 'INTERNAL' })
      await writeFile(at(image, overlay), qcow2(base, Number(CAP)))
      await writeFile(`${at(image, overlay)}.lease`, 'lease')
      await describe(image, overlay, { CAP, FORMAT: 'COW', PUUID: base })
    },

    /** The overlay's volume goes; what stood on it stands on its parent. */
    async merge({ image, base, overlay }: Overlay, above?: string): Promise<void> {
      for (const file of vdsmLayout.filesOf(domain, image, overlay).inRemovalOrder) {
        await rm(join(root, file), { force: true })
      }
      if (above === undefined) return redescribe(image, base, { VOLTYPE: 'LEAF' })
      const { CAP = '' } = await described(image, base)
      await writeFile(at(image, above), qcow2(base, Number(CAP)))
      await redescribe(image, above, { PUUID: base })
    },

    /** Both stores, with a document for each VM that names the volumes given. */
    async writeOvfStores(vms: readonly Vm[], volumesOf: (disk: Disk) => string[]): Promise<void> {
      writes += 1
      const tar = pack()
      tar.entry({ name: 'info.json' }, '{}')
      tar.entry({ name: 'metadata.json' }, '{"VM Status":{}}')
      for (const vm of vms) tar.entry({ name: `${vm.id}.ovf` }, ovfOf(vm, volumesOf))
      tar.finalize()
      const content = await buffer(tar)
      for (const { image, volume } of ovfStores) {
        await using file = await open(at(image, volume), 'r+')
        await file.write(content, 0, content.length, 0)
        const updated = new Date(1_700_000_000_000 + writes * 1000).toUTCString()
        const [day, date, month, year, time] = updated.replace(',', '').split(' ')
        const description = {
          Updated: true,
          Size: content.length,
          'Last Updated': `${day} ${month} ${date} ${time} UTC ${year}`,
        }
        await redescribe(image, volume, { DESCRIPTION: JSON.stringify(description) })
      }
    },
  }
}

function ovfOf({ name, disks }: Vm, volumesOf: (disk: Disk) => string[]): string {
  const files = disks.flatMap((disk) =>
    volumesOf(disk).map((volume) => `<File ovf:href="${disk.id}/${volume}"/>`),
  )
  return `<?xml version="1.0"?><ovf:Envelope xmlns:ovf="urn:ovf"><References>${files.join('')}</References><Content><Name>${name}</Name></Content></ovf:Envelope>`
}

/** The header of an empty overlay. */
function qcow2(backing: string | undefined, bytes: number): Buffer {
  const file = Buffer.alloc(512)
  file.write('QFI\xfb', 'latin1')
  file.writeUInt32BE(3, 4)
  if (backing !== undefined) {
    file.writeBigUInt64BE(128n, 8)
    file.writeUInt32BE(backing.length, 16)
    file.write(backing, 128)
  }
  file.writeUInt32BE(16, 20)
  file.writeBigUInt64BE(BigInt(bytes), 24)
  return file
}
