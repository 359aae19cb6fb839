import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { aFolder } from '../run/a-folder.ts'

/** A key, and a certificate of it for 127.0.0.1 that vouches for itself. */
export async function aCertificate(): Promise<{ certFile: string; keyFile: string }> {
  const dir = aFolder()
  const [certFile, keyFile] = [join(dir, 'api.pem'), join(dir, 'api.key')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const name = ['-subj', '/CN=vmbackup', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  await execa('openssl', ['req', '-x509', ...curve, ...name, '-keyout', keyFile, '-out', certFile])
  chmodSync(keyFile, 0o600)
  return { certFile, keyFile }
}
