import { join } from 'node:path'
import type { LabClient } from '../../src/lab/client.ts'
import type { ImageJudgement, Judgement, VmJudgement } from '../support/vdsm-rules.ts'

const root = join(import.meta.dirname, '../..')
const node24 = join(root, 'node_modules/.bin/node')
const main = join(root, 'test/support/vdsm-rules-main.ts')

interface Printed {
  importable: boolean
  why: string[]
  images: [string, ImageJudgement][]
  vms: [string, VmJudgement][]
}

/** How an engine at the second site would fare with the copy as it lies on the secondary volume now. */
export async function judgeSecondary(lab: LabClient): Promise<Judgement> {
  const { secondary } = lab.status
  const node = secondary.host ?? ''
  const { domains } = await lab.world()
  const domain = domains.find((one) => one.onHost)?.id ?? ''
  await using mount = await lab.mount(node, secondary.volume)
  const printed = JSON.parse(await lab.run(node, node24, main, mount.dir, domain)) as Printed
  return { ...printed, images: new Map(printed.images), vms: new Map(printed.vms) }
}
