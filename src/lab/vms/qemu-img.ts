import { basename, dirname } from 'node:path'
import { execa } from 'execa'

type Format = 'raw' | 'qcow2'

/** An empty qcow2 of this virtual size. */
export async function createQcow2(path: string, sizeBytes: number): Promise<void> {
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'compat=1.1', path, `${sizeBytes}`])
}

/** An empty overlay beside its base, which it names without a path, as vdsm does. The base is not opened. */
export async function createOverlayFile(
  path: string,
  { base, baseFormat, sizeBytes }: { base: string; baseFormat: Format; sizeBytes: number },
): Promise<void> {
  const args = ['-q', '-f', 'qcow2', '-o', 'compat=1.1', '-u', '-b', base, '-F', baseFormat]
  await execa('qemu-img', ['create', ...args, basename(path), `${sizeBytes}`], { cwd: dirname(path) })
}

/** Writes an overlay's blocks into its base. Nobody may have either open. */
export async function commitOverlay(path: string, cache: 'none' | 'writeback'): Promise<void> {
  const args = ['commit', '-q', '-d', '-f', 'qcow2', '-t', cache, basename(path)]
  await execa('qemu-img', args, { cwd: dirname(path) })
}

/** Gives an overlay another base of the same content; no block is moved. */
export async function changeBase(path: string, base: string, baseFormat: Format): Promise<void> {
  const args = ['rebase', '-q', '-u', '-f', 'qcow2', '-b', base, '-F', baseFormat, basename(path)]
  await execa('qemu-img', args, { cwd: dirname(path) })
}
