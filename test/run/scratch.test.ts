import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { scratchDir } from '../../src/run/scratch.ts'

test('a rehearsal leaves nothing of its directory, logs included', () => {
  const scratch = scratchDir()
  mkdirSync(join(scratch.dir, 'mnt'))
  writeFileSync(join(scratch.logDir, 'mount.log'), 'words')
  scratch[Symbol.dispose]()
  expect(existsSync(scratch.dir)).toBe(false)
})

test('a rehearsal that never came to a mount leaves nothing either', () => {
  const scratch = scratchDir()
  scratch[Symbol.dispose]()
  expect(existsSync(scratch.dir)).toBe(false)
})

test('what is still mounted below it is not deleted', () => {
  const scratch = scratchDir()
  onTestFinished(() => rmSync(scratch.dir, { recursive: true }))
  const volume = join(scratch.dir, 'mnt', 'primary-1')
  mkdirSync(volume, { recursive: true })
  writeFileSync(join(volume, 'disk'), 'data')
  scratch[Symbol.dispose]()
  expect(readFileSync(join(volume, 'disk'), 'utf8')).toBe('data')
})
