import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, isAbsent } from '../model/errors.ts'
import type { DiskLayout } from '../model/hypervisor.ts'
import type { OpenVolume } from '../model/replication.ts'
import type { Overlay } from '../model/vm.ts'

/**
 * Removes the overlays of one VM from the secondary, each by the exact path that was recorded before it existed, and makes
 * the bases tops of their chains again. Repeating is harmless. Throws Failure for what it cannot put right, the rest is done.
 */
export async function dropOverlays(
  secondary: OpenVolume,
  layout: DiskLayout,
  domain: string,
  overlays: readonly Overlay[],
): Promise<void> {
  const failures: unknown[] = []
  for (const one of overlays) {
    await dropOverlay(secondary, layout, domain, one).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

async function dropOverlay(
  secondary: OpenVolume,
  layout: DiskLayout,
  domain: string,
  { image, base, overlay }: Overlay,
): Promise<void> {
  // Both before anything is removed: they throw for ids that are none.
  const place = layout.filesOf(domain, image, overlay).inRemovalOrder
  const description = join(secondary.dir, layout.descriptionOf(domain, image, base))
  try {
    for (const file of place) await rm(join(secondary.dir, file), { force: true })
    // What has not arrived needs no repair; that it is missing is for the proof to say. Replication that is stopped in the
    // middle leaves files that it has made and not yet filled: the next one fills them.
    if (await sizeOf(description)) {
      await rewrite(description, (text) => layout.asTop(text, { domain, image, volume: base }))
    }
  } catch (cause) {
    throw new Failure(`cannot clean image ${image} on the secondary of overlay ${overlay}`, {
      cause,
      hint: 'the next run tries again; until then this image is not fit for import',
    })
  }
}

/** True when any of these overlays has its data on that volume. */
export async function hasOverlay(
  volume: OpenVolume,
  layout: DiskLayout,
  domain: string,
  overlays: readonly Overlay[],
): Promise<boolean> {
  for (const { image, overlay } of overlays) {
    if (await exists(join(volume.dir, layout.filesOf(domain, image, overlay).data))) return true
  }
  return false
}

/**
 * Rewrites the file in place: geo-replication works by gfid, and a new file renamed over the old one would have another, so
 * that the next replay would meet a stranger.
 */
async function rewrite(file: string, change: (text: string) => string): Promise<void> {
  await using handle = await open(file, 'r+')
  // One byte per character, so that bytes which are no UTF-8 come through as they are.
  const text = await handle.readFile('latin1')
  const changed = change(text)
  if (changed === text) return
  const bytes = Buffer.from(changed, 'latin1')
  await handle.write(bytes, 0, bytes.length, 0)
  await handle.truncate(bytes.length)
  await handle.sync()
}

export async function exists(file: string): Promise<boolean> {
  return (await sizeOf(file)) !== undefined
}

/** Undefined where there is nothing of that name. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
