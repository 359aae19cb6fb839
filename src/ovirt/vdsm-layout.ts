import { Failure, messageOf } from '../model/errors.ts'
import type { DiskLayout } from '../model/hypervisor.ts'
import { uuid } from '../model/names.ts'
import { oneLine, shown } from '../model/shown.ts'
import { valuesIn } from './vdsm-meta.ts'

/** vdsm's layout of volumes on file domains, formats V3 to V5. Paths are built from UUIDs only; all else throws. */
export const vdsmLayout: DiskLayout = {
  filesOf(domain, image, volume) {
    const data = dataPath(domain, image, volume)
    // vdsm finds volumes by their .meta (fileSD.getAllVolumes): what goes last keeps the rest listed.
    return { data, inRemovalOrder: [data, `${data}.lease`, `${data}.meta`] }
  },

  directoryOf: (domain, image) => directoryPath(domain, image),
  volumesIn: (names) => names.filter((name) => uuid.test(name)),
  descriptionOf: (domain, image, volume) => `${dataPath(domain, image, volume)}.meta`,

  asTop(text, expected) {
    const path = vdsmLayout.descriptionOf(expected.domain, expected.image, expected.volume)
    const values = valuesOf(text, path)
    for (const [key, wanted] of [
      ['DOMAIN', expected.domain],
      ['IMAGE', expected.image],
      ['LEGALITY', 'LEGAL'],
    ] as const) {
      const found = values.get(key)
      if (found !== wanted) throw unfit(path, `its ${key} is ${told(found)}, not ${wanted}`)
    }
    const type = values.get('VOLTYPE')
    if (type === 'LEAF') return text
    if (type === 'INTERNAL') return text.replace(/(^|\n)VOLTYPE=INTERNAL(?=\n)/, '$1VOLTYPE=LEAF')
    throw unfit(path, `its VOLTYPE is ${told(type)}, not INTERNAL or LEAF`)
  },
}

function directoryPath(domain: string, image: string): string {
  return `${checked('domain', domain)}/images/${checked('image', image)}`
}

function dataPath(domain: string, image: string, volume: string): string {
  return `${directoryPath(domain, image)}/${checked('volume', volume)}`
}

function checked(name: string, id: string): string {
  if (uuid.test(id)) return id
  throw new Failure(`the id of a ${name} is not a UUID in lower case: ${shown(id)}`)
}

function valuesOf(text: string, path: string): Map<string, string> {
  try {
    return valuesIn(text)
  } catch (error) {
    throw unfit(path, messageOf(error))
  }
}

function told(value: string | undefined): string {
  return oneLine(value ?? '', 60) || 'missing'
}

function unfit(path: string, why: string): Failure {
  return new Failure(`the volume description ${path} cannot be marked as the top of its chain: ${why}`, {
    hint: 'leave this image alone and compare it with the same file on the primary volume',
  })
}
