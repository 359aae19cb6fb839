import type { FileHandle } from 'node:fs/promises'
import { Failure } from '../model/errors.ts'
import { readAt } from './read-start.ts'

const leastHeaderBytes = 72
const headerBytes = 104
const longestName = 1023
const corrupt = 2n
const externalData = 4n
/** Dirty, corrupt, external data, compression type, extended L2. */
const knownFeatures = 31n

/** What the header of a qcow2 file says; the layout is that of QEMU's docs/interop/qcow2. */
export interface Qcow2Header {
  backing?: string
  /** The file cannot be shorter than its own tables. */
  leastFileBytes: number
}

/** Reads the header only; throws Failure, saying why the file is no qcow2 image that can be used. */
export async function readQcow2Header(file: FileHandle): Promise<Qcow2Header> {
  const header = await readAt(file, 0, headerBytes)
  if (header.length === 0) throw new Failure('it is empty')
  if (header.length < leastHeaderBytes || header.toString('latin1', 0, 4) !== 'QFI\xfb')
    throw new Failure('it has no qcow2 header')
  const version = header.readUInt32BE(4)
  if (version !== 2 && version !== 3) throw new Failure(`its qcow2 version is ${version}`)
  if (version === 3) checkFeatures(header)
  const clusterBits = header.readUInt32BE(20)
  if (clusterBits < 9 || clusterBits > 21) throw new Failure(`its qcow2 cluster size is 2^${clusterBits}`)
  const l1End = Number(header.readBigUInt64BE(40)) + header.readUInt32BE(36) * 8
  const refcountEnd = Number(header.readBigUInt64BE(48)) + header.readUInt32BE(56) * 2 ** clusterBits
  const leastFileBytes = Math.max(l1End, refcountEnd)
  if (!Number.isSafeInteger(leastFileBytes)) throw new Failure('its tables lie where no file has an end')
  const backing = await backingOf(file, header)
  return {
    ...(backing === undefined ? {} : { backing }),
    leastFileBytes,
  }
}

function checkFeatures(header: Buffer): void {
  if (header.length < headerBytes) throw new Failure('it ends within its qcow2 header')
  const features = header.readBigUInt64BE(72)
  if ((features & corrupt) !== 0n) throw new Failure('it is marked as corrupt')
  if ((features & externalData) !== 0n) throw new Failure('its data is in another file')
  if ((features & ~knownFeatures) !== 0n)
    throw new Failure(`it needs unknown qcow2 features: 0x${features.toString(16)}`)
}

async function backingOf(file: FileHandle, header: Buffer): Promise<string | undefined> {
  const offset = header.readBigUInt64BE(8)
  const length = header.readUInt32BE(16)
  if (offset === 0n || length === 0) return undefined
  if (length > longestName) throw new Failure('its backing file name is too long')
  const name = offset > Number.MAX_SAFE_INTEGER ? Buffer.alloc(0) : await readAt(file, Number(offset), length)
  if (name.length < length) throw new Failure('it ends within its backing file name')
  return name.toString('utf8')
}
