import { X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import { UsageError } from '../model/errors.ts'

export interface TextFile {
  text: string
  /** Permission bits, e.g. 0o600. */
  mode: number
}

/** Reads a small UTF-8 file; throws UsageError, never with a part of its content, when that cannot be done. */
export async function readText(
  path: string,
  what: string,
  mostBytes: number,
  advice: { hint?: string } = {},
): Promise<TextFile> {
  const { bytes, mode } = await readBytes(path, mostBytes + 1).catch((cause: unknown) => {
    throw new UsageError(`cannot read ${what} ${path}: ${reasonOf(cause)}`, { cause, ...advice })
  })
  if (bytes.length > mostBytes) {
    throw new UsageError(`${what} ${path} is larger than ${mostBytes / 1024} KiB: it is something else`)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return { text, mode }
  } catch {
    // Not UTF-8; the reason names no place in the file, so it would not help.
  }
  throw new UsageError(`${what} ${path} is not text`, { hint: 'save it as UTF-8' })
}

/** What is wrong with a file of CA certificates, or undefined. */
export async function caFileProblem(path: string): Promise<string | undefined> {
  const { bytes } = await readBytes(path, 4 * 2 ** 20).catch((cause: unknown) => ({ bytes: reasonOf(cause) }))
  if (typeof bytes === 'string') return `cannot be read: ${bytes}`
  const pem = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g
  const certificates = bytes.toString('latin1').match(pem) ?? []
  if (certificates.length === 0) return 'holds no certificate; allowed: PEM (-----BEGIN CERTIFICATE-----)'
  const broken = certificates.findIndex((certificate) => !isCertificate(certificate))
  return broken === -1 ? undefined : `holds a certificate that cannot be read, number ${broken + 1}`
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

/** The file system's reason in words. */
export function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  if (code === 'EISDIR') return 'it is a folder'
  return code ?? String(cause)
}

async function readBytes(path: string, most: number): Promise<{ bytes: Buffer; mode: number }> {
  await using file = await open(path)
  const { mode } = await file.stat()
  const chunks: Buffer[] = []
  for await (const chunk of file.createReadStream({ end: most - 1, autoClose: false })) chunks.push(chunk)
  return { bytes: Buffer.concat(chunks), mode: mode & 0o777 }
}
