import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { end, identify, isRunning, type ProcessIdentity } from '../../src/lab/sites/processes.ts'
import { until } from '../../src/lab/sites/until.ts'

async function aProcess(): Promise<ProcessIdentity> {
  const child = spawn('sleep', ['60'])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const identity = await identify(child.pid ?? -1)
  if (identity === undefined) throw new Error('sleep did not start')
  return identity
}

describe('ending processes', () => {
  test('a running process is ended', async () => {
    const target = await aProcess()
    await end(target)
    expect(await isRunning(target)).toBe(false)
  })

  test('a later process with the same number is left alone', async () => {
    const other = await aProcess()
    await end({ pid: other.pid, started: `${Number(other.started) - 1}` })
    expect(await isRunning(other)).toBe(true)
  })

  test('ending a process twice is harmless', async () => {
    const target = await aProcess()
    await end(target)
    await expect(end(target)).resolves.toBeUndefined()
  })
})

describe('until', () => {
  test('returns the first answer that is one', async () => {
    const answers = [undefined, '', 'yes', 'later']
    expect(await until('an answer', 5_000, async () => answers.shift(), 1)).toBe('yes')
  })

  test('says after the deadline what it waited for', async () => {
    await expect(until('the moon', 5, async () => false, 1)).rejects.toThrow('waited 0.005 s for the moon')
  })

  test('an error of the question ends the waiting', async () => {
    const ask = async () => {
      throw new Error('it ended')
    }
    await expect(until('an answer', 5_000, ask, 1)).rejects.toThrow('it ended')
  })
})
