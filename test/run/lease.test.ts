import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Locked } from '../../src/model/errors.ts'
import { takeLease } from '../../src/run/lease.ts'
import type { Machine } from '../../src/run/machine.ts'
import { fakeClock } from '../support/stage.ts'
import { aFolder } from './a-folder.ts'

const [here, there]: Machine[] = ['gp1', 'gp2'].map((name) => ({ name, id: name, boot: `boot of ${name}` }))
const leaseMs = 60_000

function aFile(): string {
  return join(aFolder(), 'data.lease')
}

/** Takes it as that machine; `meanwhile` happens at each of its looks while it waits. */
async function take(file: string, machine = here, meanwhile = (_look: number) => {}) {
  const clock = fakeClock()
  const waits: string[] = []
  let looks = 0
  const lease = await takeLease(file, {
    machine: machine ?? { name: '', id: '', boot: '' },
    clock: {
      now: clock.now,
      async sleep(ms, signal) {
        looks += 1
        meanwhile(looks)
        await clock.sleep(ms, signal)
      },
    },
    signal: new AbortController().signal,
    leaseMs,
    waiting: (what) => waits.push(what),
  })
  return { lease, waits }
}

/** What a machine leaves that was cut off or died: the record, and nobody who renews it. */
async function leftBy(machine: Machine | undefined, file: string): Promise<string> {
  const { lease } = await take(file, machine)
  const record = readFileSync(file, 'utf8')
  lease[Symbol.dispose]()
  writeFileSync(file, record)
  return record
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a lease', () => {
  test('is taken at once where nobody has it, and is gone when it is given back', async () => {
    const file = aFile()
    const { lease, waits } = await take(file)
    lease[Symbol.dispose]()
    expect(waits).toEqual([])
    expect(() => readFileSync(file)).toThrow('ENOENT')
  })

  test.each<[string, Machine | undefined]>([
    ['an earlier process of this machine', here],
    ['this machine before it was started anew', { name: 'gp1', id: 'gp1', boot: 'earlier' }],
  ])('that %s has left is taken at once', async (_who, machine) => {
    const file = aFile()
    await leftBy(machine, file)
    const { lease, waits } = await take(file)
    lease[Symbol.dispose]()
    expect(waits).toEqual([])
  })

  test('of a process of this machine that lives is waited for: its file lock may have been lost without a word', async () => {
    const file = aFile()
    const record = await leftBy(here, file)
    writeFileSync(file, record.replace(`"pid":${process.pid}`, `"pid":${process.ppid}`))
    const { lease, waits } = await take(file)
    lease[Symbol.dispose]()
    expect(waits).toHaveLength(8)
  })

  test('of a process of this machine that is gone is taken at once', async () => {
    const file = aFile()
    const record = await leftBy(here, file)
    const { pid } = spawnSync('true')
    writeFileSync(file, record.replace(`"pid":${process.pid}`, `"pid":${pid}`))
    const { lease, waits } = await take(file)
    lease[Symbol.dispose]()
    expect(waits).toEqual([])
  })

  test('of another machine is taken over after it was seen unchanged for its whole length', async () => {
    const file = aFile()
    await leftBy(there, file)
    const { lease, waits } = await take(file)
    lease.assertHeld()
    lease[Symbol.dispose]()
    expect(waits.length).toBeGreaterThanOrEqual(8)
    expect(waits[0]).toMatch(/^the lease of pid \d+ on gp2 since .* to end$/)
  })

  test('of another machine that renews it is refused, and its holder named', async () => {
    const file = aFile()
    const record = await leftBy(there, file)
    const late = take(file, here, (look) => {
      if (look === 7) writeFileSync(file, record.replace('"beat":0', '"beat":1'))
    })
    await expect(late).rejects.toThrow(Locked)
    await expect(late).rejects.toThrow('on gp2')
  })

  test('that is given back meanwhile is taken', async () => {
    const file = aFile()
    await leftBy(there, file)
    const { lease, waits } = await take(file, here, (look) => {
      if (look === 2) rmSync(file)
    })
    lease[Symbol.dispose]()
    expect(waits).toHaveLength(2)
  })

  test('whose record is torn is waited for like any other', async () => {
    const file = aFile()
    writeFileSync(file, '{"machine":')
    const { lease, waits } = await take(file)
    lease[Symbol.dispose]()
    expect(waits.length).toBeGreaterThanOrEqual(8)
  })
})

describe('the holder of a lease', () => {
  test('renews it long before it ends', async () => {
    vi.useFakeTimers()
    const file = aFile()
    const { lease } = await take(file)
    const seen = new Set<string>()
    for (let n = 0; n < 80; n += 1) {
      vi.advanceTimersByTime(leaseMs / 8)
      seen.add(readFileSync(file, 'utf8'))
    }
    expect(seen.size).toBe(80)
    lease.assertHeld()
    lease[Symbol.dispose]()
  })

  test('that cannot renew it stops before anybody else may begin', async () => {
    vi.useFakeTimers()
    const file = aFile()
    const { lease } = await take(file)
    rmSync(file)
    writeFileSync(`${file}.elsewhere`, '')
    // As on a file system that is cut off: nothing can be read or written.
    rmSync(file, { force: true })
    vi.advanceTimersByTime(leaseMs * 0.9)
    expect(lease.signal.aborted).toBe(true)
    expect(() => lease.assertHeld()).toThrow('is lost')
    lease[Symbol.dispose]()
  })

  test('that finds the name of another one in it does nothing more, and leaves it to that one', async () => {
    vi.useFakeTimers()
    const file = aFile()
    const { lease } = await take(file)
    const other = readFileSync(file, 'utf8').replaceAll('gp1', 'gp2')
    writeFileSync(file, other)
    vi.advanceTimersByTime(leaseMs / 8)
    expect(() => lease.assertHeld()).toThrow('on gp2 since')
    lease[Symbol.dispose]()
    expect(readFileSync(file, 'utf8')).toBe(other)
  })

  test('that was asleep for longer than the lease knows it before its timer does', async () => {
    vi.useFakeTimers()
    const { lease } = await take(aFile())
    vi.setSystemTime(Date.now() + leaseMs)
    expect(() => lease.assertHeld()).toThrow('could not be renewed for 60 s')
    lease[Symbol.dispose]()
  })
})
