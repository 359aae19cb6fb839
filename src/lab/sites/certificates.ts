import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

export interface Certificates {
  caFile: string
  certFile: string
  keyFile: string
}

export function certificatesIn(dir: string): Certificates {
  return { caFile: join(dir, 'ca.pem'), certFile: join(dir, 'engine.pem'), keyFile: join(dir, 'engine.key') }
}

/** Makes a CA and a server certificate of it that is good for the given names and address. */
export async function makeCertificates(dir: string, names: string[], address: string): Promise<void> {
  await mkdir(dir, { mode: 0o700, recursive: true })
  const { caFile, certFile, keyFile } = certificatesIn(dir)
  const caKey = join(dir, 'ca.key')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
  const altNames = [...names.map((name) => `DNS:${name}`), `IP:${address}`].join(',')
  const extensions = join(dir, 'engine.ext')
  await writeFile(extensions, `subjectAltName=${altNames}\nextendedKeyUsage=serverAuth\n`)
  await openssl('req', '-x509', ...key, '-subj', '/CN=vmbackup lab CA', '-keyout', caKey, '-out', caFile)
  const request = join(dir, 'engine.csr')
  await openssl(
    'req',
    '-new',
    ...key.slice(0, -2),
    '-subj',
    `/CN=${names[0]}`,
    '-keyout',
    keyFile,
    '-out',
    request,
  )
  const sign = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '30', '-extfile', extensions]
  await openssl('x509', '-req', '-in', request, ...sign, '-out', certFile)
}

async function openssl(...words: string[]): Promise<void> {
  await execa('openssl', words)
}
