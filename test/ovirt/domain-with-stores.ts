import type { OvfStore } from '../../src/model/domain.ts'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import { aFolder } from '../run/a-folder.ts'
import { createDomain, domainId, idOf, ovf, type Place } from '../support/domain-files.ts'

/** A sound domain with its stores as they are read. */
export async function aDomainWithStores() {
  const files = await createDomain(aFolder())
  const read = (): Promise<OvfStore[]> =>
    vdsmFormat.readOvfStores(files.root, domainId, undefined, new AbortController().signal)

  return {
    ...files,
    read,

    /** The names of the VMs that an engine would find. */
    async names(): Promise<string[]> {
      return (await vdsmFormat.documentsIn(await read())).documents.map(({ name }) => name)
    },

    putBack: (kept: OvfStore): Promise<boolean> => vdsmFormat.putBackOvfStore(files.root, domainId, kept),

    /** Takes the mark of being up to date away. */
    async outdate(place: Place): Promise<void> {
      const { DESCRIPTION = '' } = await files.described(place)
      const outdated = DESCRIPTION.replace('"Updated":true', '"Updated":false')
      await files.redescribe(place, { DESCRIPTION: outdated })
    },
  }
}

/** The members of a store with one VM. */
export function only(name: string, id = idOf(80)): Record<string, string> {
  return { 'info.json': '{}', [`${id}.ovf`]: ovf(name, []) }
}
