import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { DomainFormat, ImageFacts, OvfStore } from '../model/domain.ts'
import { Failure, messageOf } from '../model/errors.ts'
import { uuid } from '../model/names.ts'
import { shown } from '../model/shown.ts'
import { judgeDomainMetadata } from './domain-metadata.ts'
import { idsIn } from './named-ids.ts'
import { documentsIn, putBackStore, readStore } from './ovf-store.ts'
import { readStart } from './read-start.ts'
import { describedAmong, examineImage, longestMeta } from './vdsm-image.ts'
import { vdsmLayout } from './vdsm-layout.ts'
import { isOvfStore, valuesIn } from './vdsm-meta.ts'

const imagesAtOnce = 16
/** vdsm's takes less than one KiB. */
const longestMetadata = 65_536

/** vdsm's file domains, formats V3 to V5, as vdsm and an importing engine read them (ovirt.md B). */
export const vdsmFormat: DomainFormat = {
  dataOf: (domain, { image, volume }) => vdsmLayout.filesOf(domain, image, volume).data,

  async examine(root, domain, signal) {
    const { flaws, blockBytes } = await lookAtMetadata(root, domain)
    const images = await eachImage(root, domain, signal, async (image, dir): Promise<ImageFacts> => {
      try {
        return await examineImage(dir, domain, image)
      } catch (error) {
        return {
          image,
          isOvfStore: false,
          volumes: [],
          flaws: [`it cannot be read: ${messageOf(error)}`],
          blocksImport: true,
        }
      }
    })
    return {
      images: new Map(images.map((one) => [one.image, one])),
      flaws,
      ...(blockBytes === undefined ? {} : { blockBytes }),
    }
  },

  async readOvfStores(root, domain, images, signal) {
    const look = (image: string, dir: string) => storeIn(dir, domain, image)
    return (await eachImage(root, domain, signal, look, images)).flat()
  },

  putBackOvfStore: (root, domain, kept) =>
    putBackStore(join(root, vdsmFormat.dataOf(domain, kept)), domain, kept),

  documentsIn,

  idsNamedIn({ content }, ids) {
    const named = idsIn(content?.toString('latin1') ?? '')
    return [...ids].filter((id) => named.has(id))
  },
}

async function lookAtMetadata(
  root: string,
  domain: string,
): Promise<{ flaws: string[]; blockBytes?: number }> {
  const file = join(root, checked(domain), 'dom_md', 'metadata')
  try {
    return judgeDomainMetadata((await readStart(file, longestMetadata)).toString('utf8'), domain)
  } catch (error) {
    return { flaws: [`the domain's metadata cannot be read: ${messageOf(error)}`] }
  }
}

/** The store in an image directory, if it is one. */
async function storeIn(dir: string, domain: string, image: string): Promise<OvfStore[]> {
  const volumes = describedAmong(await readdir(dir).catch(() => []))
  const [volume] = volumes
  // A store is one volume, never a chain: nothing more has to be read of the images of VMs with snapshots.
  if (volume === undefined || volumes.length !== 1) return []
  const file = join(dir, volume)
  const description = await readStart(`${file}.meta`, longestMeta).then(
    (bytes) => bytes.toString('latin1'),
    () => '',
  )
  return isStore(description) ? [await readStore(file, domain, { image, volume }, description)] : []
}

function isStore(description: string): boolean {
  try {
    return isOvfStore(valuesIn(description))
  } catch {
    return /^DISKTYPE=OVFS$/m.test(description)
  }
}

async function eachImage<T>(
  root: string,
  domain: string,
  signal: AbortSignal,
  look: (image: string, dir: string) => Promise<T>,
  some?: readonly string[],
): Promise<T[]> {
  const dir = join(root, checked(domain), 'images')
  const limit = pLimit(imagesAtOnce)
  // Other names are images that vdsm is about to delete.
  const images = (some ?? (await directoriesIn(dir, domain))).filter((name) => uuid.test(name)).toSorted()
  return Promise.all(
    images.map((image) =>
      limit(() => {
        signal.throwIfAborted()
        return look(image, join(dir, image))
      }),
    ),
  )
}

async function directoriesIn(dir: string, domain: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (cause) {
    throw new Failure(`cannot read the images of storage domain ${domain} in ${dir}`, {
      cause,
      hint: 'is this the volume that the domain lies on, and are its bricks up?',
    })
  }
}

function checked(domain: string): string {
  if (uuid.test(domain)) return domain
  throw new Failure(`the id of a domain is not a UUID in lower case: ${shown(domain)}`)
}
