import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageFacts } from '../../src/model/domain.ts'
import { examineImage } from '../../src/ovirt/vdsm-image.ts'
import { aFolder } from '../run/a-folder.ts'
import { createDomain, domainId, top } from '../support/domain-files.ts'

export type Domain = Awaited<ReturnType<typeof createDomain>>

/** What is found of an image of a domain that was sound before the change. */
export async function imageAfter(
  change: (domain: Domain) => unknown,
  image = top.image,
): Promise<ImageFacts> {
  const domain = await createDomain(aFolder())
  await change(domain)
  return examineImage(join(domain.root, domainId, 'images', image), domainId, image)
}

/** Overwrites bytes of a file. */
export async function write(file: string, content: Buffer, offset = 0): Promise<void> {
  await using handle = await open(file, 'r+')
  await handle.write(content, 0, content.length, offset)
}

/** 64 bits, big-endian. */
export function number(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
