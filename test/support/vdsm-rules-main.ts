import { judgeDomain } from './vdsm-rules.ts'

// Prints a judgement as JSON: `vdsm-rules-main.ts DIR DOMAIN`, run inside the node that has the mount.
const [dir = '', domain = ''] = process.argv.slice(2)
const { images, vms, ...rest } = await judgeDomain(dir, domain)
process.stdout.write(JSON.stringify({ ...rest, images: [...images], vms: [...vms] }))
