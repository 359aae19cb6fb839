import { text } from 'node:stream/consumers'
import { type DiskImage, digestImage } from './vms/source.ts'

// Reads images from standard input and prints the digest of each: run inside the node that has them.
const images = JSON.parse(await text(process.stdin)) as DiskImage[]
const digests = []
for (const image of images) digests.push(await digestImage(image))
process.stdout.write(JSON.stringify(digests))
