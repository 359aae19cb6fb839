import { z } from 'zod'
import type { StorageDomain } from '../model/vm.ts'
import { id, line, list, read, reference, text } from './wire.ts'

const domain = z
  .object({
    id,
    name: line.nullish(),
    storage: z
      .object({
        type: line.nullish(),
        vfs_type: text.nullish(),
        address: line.nullish(),
        path: line.nullish(),
      })
      .nullish(),
    status: line.nullish(),
    data_centers: list('data_center', reference),
    data_center: reference.nullish(),
  })
  .transform((found): StorageDomain => {
    const dataCenter = found.data_center?.id ?? found.data_centers[0]?.id
    return {
      id: found.id,
      name: found.name || found.id,
      type: typeOf(found.storage?.type, found.storage?.vfs_type),
      address: found.storage?.address ?? '',
      path: found.storage?.path ?? '',
      ...(dataCenter === undefined ? {} : { dataCenterId: dataCenter }),
      ...(found.status && found.status !== 'unattached' ? { status: found.status } : {}),
    }
  })

/** The storage domains of an answer; their status is only true where a data centre was asked. */
export function domainsIn(body: unknown): StorageDomain[] {
  return read(list('storage_domain', domain), body, 'list of storage domains')
}

function typeOf(type: string | null | undefined, vfsType: string | null | undefined): string {
  if (type === 'posixfs' && vfsType?.toLowerCase() === 'glusterfs') return 'glusterfs'
  return type || 'unknown'
}
