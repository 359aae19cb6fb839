#!/usr/bin/env node
import { readFileSync } from 'node:fs'

const { argv, stdout, stderr } = process

// Who looked on may be gone (a closed terminal, a pipe to head); the run has snapshots to merge all the same.
for (const stream of [stdout, stderr]) stream.on('error', () => undefined)

const asked = argv.slice(2)
const said = saidAtOnce(asked)
// Loaded only now: reading the command line takes longer than Node itself takes to start.
if (said === undefined) {
  const { keepHeapLean } = await import('./lean-heap.ts')
  keepHeapLean()
  await (await import('./program.ts')).main(asked, version())
} else stdout.write(said)

/** What is asked for most by far when nothing is to be done; undefined for everything else. */
function saidAtOnce([only = '', ...more]: readonly string[]): string | undefined {
  if (more.length > 0) return undefined
  if (['-V', '--version'].includes(only)) return `${version()}\n`
  // Its lines are laid out for 80 columns; for a narrower terminal they are laid out anew.
  const isWide = (stdout.columns ?? 80) >= 80
  if (['-h', '--help'].includes(only) && isWide) return shipped('src/cli/help.txt')
  return undefined
}

function version(): string {
  return (JSON.parse(shipped('package.json')) as { version: string }).version
}

/** A file of the package; this one stands in a folder of it, as source and when built. */
function shipped(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
}
