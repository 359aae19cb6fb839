import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Failure, Locked } from '../../src/model/errors.ts'
import { lockVolume } from '../../src/run/lock.ts'
import { aFolder } from './a-folder.ts'

/** A process that holds the lock until it is killed. */
async function aHolder(dir: string, pair: string): Promise<ChildProcess> {
  const holds = `
    import { lockVolume } from ${JSON.stringify(new URL('../../src/run/lock.ts', import.meta.url).href)}
    globalThis.held = lockVolume(${JSON.stringify(dir)}, ${JSON.stringify(pair)})
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', holds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  if (child.stdout) await once(child.stdout, 'data')
  return child
}

function lockedError(act: () => Disposable): unknown {
  try {
    act()[Symbol.dispose]()
    return undefined
  } catch (error) {
    return error
  }
}

test('a second process is turned away and told who holds the lock', async () => {
  const dir = aFolder()
  const holder = await aHolder(dir, 'pair')
  const error = lockedError(() => lockVolume(dir, 'pair'))
  expect(error).toBeInstanceOf(Locked)
  expect(String(error)).toContain(`pid ${holder.pid} on `)
})

test('the lock ends with its process, also when that is killed', async () => {
  const dir = aFolder()
  const holder = await aHolder(dir, 'pair')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  expect(lockedError(() => lockVolume(dir, 'pair'))).toBeUndefined()
})

test('the lock of another pair is free meanwhile', async () => {
  const dir = aFolder()
  await aHolder(dir, 'pair-1')
  expect(lockedError(() => lockVolume(dir, 'pair-2'))).toBeUndefined()
})

test('one process cannot take it twice either', () => {
  const dir = aFolder()
  using _held = lockVolume(dir, 'pair')
  expect(lockedError(() => lockVolume(dir, 'pair'))).toBeInstanceOf(Locked)
})

test('it can be taken again when it was given back', () => {
  const dir = aFolder()
  expect(lockedError(() => lockVolume(dir, 'pair'))).toBeUndefined()
  expect(lockedError(() => lockVolume(dir, 'pair'))).toBeUndefined()
})

test('a place that cannot be written is no held lock, and its hint names the setting', () => {
  const file = join(aFolder(), 'file')
  writeFileSync(file, '')
  const error = lockedError(() => lockVolume(file, 'pair'))
  expect(error).toBeInstanceOf(Failure)
  expect(error).not.toBeInstanceOf(Locked)
  expect(error).toMatchObject({ hint: expect.stringContaining('[state] dir') })
})

test('a holder that cannot write its name gives the lock back', () => {
  const dir = aFolder()
  mkdirSync(join(dir, 'pair.holder'))
  expect(lockedError(() => lockVolume(dir, 'pair'))).toMatchObject({
    hint: expect.stringContaining('[state] dir'),
  })
  expect(lockedError(() => lockVolume(dir, 'pair'))).not.toBeInstanceOf(Locked)
})
