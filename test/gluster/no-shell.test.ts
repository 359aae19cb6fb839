import { chmod, glob, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { dirSync } from 'tmp'
import { expect, onTestFinished, test } from 'vitest'
import { runAt } from '../../src/gluster/run.ts'
import { anyText } from '../fuzz/hostile.ts'

const options = { timeoutMs: 10_000, signal: new AbortController().signal }

// No argument of a process has a NUL, none that is not UTF-8 can come from JavaScript, and the kernel takes no line of more
// than 128 KiB.
const argument = anyText.map((text) => text.replaceAll('\0', '').slice(0, 200).toWellFormed())

/** An `ssh` that does what the real one does with its arguments: joined with blanks, they are a line for a shell. */
async function anSsh(): Promise<string> {
  const folder = dirSync({ unsafeCleanup: true })
  onTestFinished(() => folder.removeCallback())
  const path = join(folder.name, 'ssh')
  await writeFile(path, '#!/bin/sh\nshift\nexec sh -c "$*"\n')
  await chmod(path, 0o755)
  return path
}

test('every argument comes out of the shell at the other end of ssh as it was given', async () => {
  const prefix = [await anSsh(), 'root@gp1']
  await fc.assert(
    fc.asyncProperty(fc.array(argument, { minLength: 100, maxLength: 100 }), async (some) => {
      const { stdout } = await runAt(prefix, ['printf', '%s\\0', 'first', ...some], options)
      expect(stdout.split('\0')).toEqual(['first', ...some, ''])
    }),
    { numRuns: 10 },
  )
})

test('without a prefix no shell sees an argument at all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(argument, { minLength: 100, maxLength: 100 }), async (some) => {
      const { stdout } = await runAt([], ['printf', '%s\\0', 'first', ...some], options)
      expect(stdout.split('\0')).toEqual(['first', ...some, ''])
    }),
    { numRuns: 10 },
  )
})

// A lint rule keeps node:child_process out (scripts/oxlint.json); execa starts a shell only when it is asked for one.
const asksForShell = /\bshell:\s*(true|['"`])|['"`](\/bin\/)?(ba|da)?sh['"`]\s*,\s*['"`]-\w*c/

test('no line of the product asks for a shell', async () => {
  const root = new URL('../../src/', import.meta.url).pathname
  const found: string[] = []
  for await (const file of glob('**/*.ts', { cwd: root, exclude: ['lab/**'] })) {
    if (asksForShell.test(await readFile(join(root, file), 'utf8'))) found.push(file)
  }
  expect(found).toEqual([])
})
