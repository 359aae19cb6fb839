import { text } from 'node:stream/consumers'
import type { ProofOrder } from './client.ts'
import { proveImages } from './vms/prover.ts'

// Reads proof orders from standard input and prints a verdict for each: run inside the node that has the images.
const orders = JSON.parse(await text(process.stdin)) as ProofOrder[]
const verdicts = []
for (const { vm, disks, ...expectation } of orders) {
  verdicts.push([vm, await proveImages(disks, expectation)])
}
process.stdout.write(JSON.stringify(verdicts))
