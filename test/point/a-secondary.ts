import { expect } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'

/** Where the disk of that name lies on a volume. */
export const pathsOf = (name: string) => {
  const disk = aDisk(name)
  const files = vdsmLayout.filesOf(domain.id, disk.id, disk.volume ?? '')
  return { data: files.data, meta: `${files.data}.meta`, volume: disk.volume ?? '' }
}

/** A secondary volume with a finished recovery point of `web` and `db`. */
export async function aSecondary() {
  const stage = await createStage([aVm('web'), aVm('db'), aVm('he', { hostedEngine: true })])
  const report = await stage.run()
  expect(report.vms.map(({ state }) => state)).toEqual(['protected', 'left out', 'protected'])
  return { stage, root: stage.replicated.secondaryDir }
}
