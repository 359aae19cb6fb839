import { mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Replication } from '../../src/model/replication.ts'
import { driverOf, eventually, exists, type Subject, writeAt } from './replication-subject.ts'

/** The facts that a backup relies on, whatever replicates. */
export function replicationContract(name: string, make: () => Promise<Subject>): void {
  describe(`replication by ${name}`, () => {
    const { signal } = new AbortController()
    let subject: Subject
    let replication: Replication

    beforeAll(async () => {
      subject = await make()
      replication = subject.replication
    })
    beforeEach(async () => {
      await replication.stop(signal)
    })
    afterAll(async () => {
      await subject?.[Symbol.asyncDispose]()
    })
    const { onPrimary, onSecondary, cycle, mark, write } = driverOf(() => subject, signal)

    test('names the two volumes', async () => {
      const { primary, secondary } = await replication.pair(signal)
      expect(primary.hosts.length).toBeGreaterThan(0)
      expect([primary.volume, secondary.volume, secondary.host]).not.toContain('')
    })

    test('brings everything under a limit, which lasts until it is lifted and leaves what was found', async () => {
      expect(await replication.limitFindings(signal)).toEqual([])
      const found = await replication.limitFound(signal)
      await replication.limit(64 * 1024 * 1024, found, signal)
      const limited = await replication.limitFound(signal)
      expect(limited).not.toEqual(found)
      await write('limited', 'x'.repeat(100_000))
      await cycle()
      expect(await onSecondary((dir) => readFile(join(dir, 'limited'), 'utf8'))).toHaveLength(100_000)
      expect(await replication.limitFound(signal)).toEqual(limited)
      await replication.limit(1024 * 1024, found, signal)
      for (let time = 0; time < 2; time += 1) {
        await replication.unlimit(found, signal)
        expect(await replication.limitFound(signal)).toEqual(found)
      }
    })

    test('finds no error in a healthy pair', async () => {
      expect((await replication.findings(signal)).filter(({ severity }) => severity === 'error')).toEqual([])
    })

    test('brings what was written before the checkpoint', async () => {
      const content = Buffer.alloc(300_000, 'before the checkpoint ')
      await onPrimary(({ dir }) => mkdir(join(dir, 'images/one'), { recursive: true }))
      await write('images/one/base', content)
      await cycle()
      const arrived = await onSecondary((dir) => readFile(join(dir, 'images/one/base')))
      expect(arrived.equals(content)).toBe(true)
    })

    test('brings a change made in place, and keeps the file of the secondary', async () => {
      await write('changed', 'a'.repeat(200_000))
      await cycle()
      const before = await onSecondary((dir) => stat(join(dir, 'changed')))
      await onPrimary(({ dir }) => writeAt(join(dir, 'changed'), 'b', 100_000))
      await cycle()
      await onSecondary(async (dir) => {
        expect(await readFile(join(dir, 'changed'), 'utf8')).toBe(
          `${'a'.repeat(100_000)}b${'a'.repeat(99_999)}`,
        )
        expect((await stat(join(dir, 'changed'))).ino).toBe(before.ino)
      })
    })

    test('is asked to start twice and runs', async () => {
      await replication.start(signal)
      await replication.start(signal)
      await eventually(subject, async () => (await replication.session(signal)).state === 'active')
      await replication.start(signal)
      expect((await replication.session(signal)).state).toBe('active')
    })

    test('is asked to stop twice and is stopped', async () => {
      await replication.start(signal)
      await replication.stop(signal)
      await replication.stop(signal)
      expect((await replication.session(signal)).state).not.toBe('active')
    })

    test('says that it is down when it does not run', async () => {
      const since = await mark()
      expect((await replication.progress(since, signal)).state).toBe('down')
    })

    test('never says that a checkpoint was reached before the session has run', async () => {
      await cycle()
      await onPrimary(async (volume) => {
        const since = await mark()
        await replication.nudge(volume, signal)
        expect((await replication.progress(since, signal)).state).toBe('down')
      })
    })

    test('sends nothing after it was stopped, and all of it at the next turn', async () => {
      await cycle()
      await write('late', 'written while stopped')
      const end = Date.now() + subject.quietMs
      await onSecondary(async (dir) => {
        while (Date.now() < end) {
          expect(await exists(join(dir, 'late'))).toBe(false)
          await pause(subject.paceMs)
        }
      })
      await cycle()
      expect(await onSecondary((dir) => readFile(join(dir, 'late'), 'utf8'))).toBe('written while stopped')
    })

    test('lets the secondary be cleaned and written in place, and goes on when the primary follows', async () => {
      await onPrimary(async ({ dir }) => {
        await writeFile(join(dir, 'overlay'), Buffer.alloc(9_000_000, 'o'))
        await writeFile(join(dir, 'base.meta'), 'VOLTYPE=INTERNAL\n')
      })
      await cycle()
      await onSecondary(async (dir) => {
        await rm(join(dir, 'overlay'))
        const { ino } = await stat(join(dir, 'base.meta'))
        await writeAt(join(dir, 'base.meta'), 'VOLTYPE=LEAF    \n', 0)
        expect((await stat(join(dir, 'base.meta'))).ino).toBe(ino)
      })
      await onPrimary(({ dir }) => rm(join(dir, 'overlay')))
      await write('after', 'the clean-up')
      await cycle()
      await onSecondary(async (dir) => {
        expect(await exists(join(dir, 'overlay'))).toBe(false)
        expect(await readFile(join(dir, 'base.meta'), 'utf8')).toBe('VOLTYPE=LEAF    \n')
        expect(await readFile(join(dir, 'after'), 'utf8')).toBe('the clean-up')
      })
    })

    test('removes on the secondary what was removed on the primary', async () => {
      await write('short-lived', 'x')
      await cycle()
      expect(await onSecondary((dir) => exists(join(dir, 'short-lived')))).toBe(true)
      await onPrimary(({ dir }) => rm(join(dir, 'short-lived')))
      await cycle()
      expect(await onSecondary((dir) => exists(join(dir, 'short-lived')))).toBe(false)
    })

    test('opens a file at both ends with the same size, content and pieces, and reading its holes changes nothing', async () => {
      const [size, at] = [20_000_000, 9_000_000]
      await onPrimary(async ({ dir }) => {
        await using file = await open(join(dir, 'sparse'), 'w')
        await file.truncate(size)
        await file.write('an island', at)
      })
      await cycle()
      await onPrimary(async (primary) => {
        await using secondary = await replication.openSecondary(await subject.emptyDir(), signal)
        const pieces = []
        for (const volume of [primary, secondary, primary, secondary]) {
          await using file = await volume.open('sparse', signal)
          expect(file.sizeBytes).toBe(size)
          const buffer = Buffer.alloc(size + 10, 'x')
          expect(await file.read(buffer, 0)).toBe(size)
          expect(buffer.subarray(at, at + 9).toString()).toBe('an island')
          expect(buffer.subarray(0, at).every((byte) => byte === 0)).toBe(true)
          expect(buffer.subarray(at + 9, size).every((byte) => byte === 0)).toBe(true)
          expect(buffer.subarray(size).toString()).toBe('x'.repeat(10))
          pieces.push([...file.pieces])
        }
        const [first, ...others] = pieces
        for (const other of others) expect(other).toEqual(first)
      })
    })

    test('tells of a write to any part of a file, and of nothing else', async () => {
      await write('written', Buffer.alloc(9_000_000, 'x'))
      await onPrimary(({ dir }) => truncate(join(dir, 'written'), 20_000_000))
      await onPrimary(async (writer) => {
        await onPrimary(async (reader) => {
          const seen = async (): Promise<bigint> => {
            await using file = await reader.open('written', signal)
            return file.lastWriteNs
          }
          let last = await seen()
          for (const at of [8_500_000, 4_300_000, 10]) {
            // Reading is none; on a sharded volume that of a hole makes an empty shard.
            await using hole = await open(join(writer.dir, 'written'), 'r')
            await hole.read(Buffer.alloc(10), 0, 10, 13_000_000)
            expect(await seen()).toBe(last)
            await writeAt(join(writer.dir, 'written'), 'y', at)
            await eventually(subject, async () => (await seen()) > last)
            last = await seen()
          }
        })
      })
    })

    test('sends again what the secondary has lost, cut short or changed', async () => {
      const content = Buffer.alloc(9_000_000, 'content that does not change ')
      const files = ['lost', 'short', 'changed in place']
      for (const file of files) await write(file, content)
      await cycle()
      await onSecondary(async (dir) => {
        await rm(join(dir, 'lost'))
        await truncate(join(dir, 'short'), 5_000_000)
        await writeAt(join(dir, 'changed in place'), 'X', 8_500_000)
      })
      await onPrimary(async (primary) => {
        await using secondary = await replication.openSecondary(await subject.emptyDir(), signal)
        await replication.resend({ primary, secondary }, [...files, 'nowhere'], signal)
      })
      await cycle()
      await onSecondary(async (dir) => {
        for (const file of files) expect((await readFile(join(dir, file))).equals(content)).toBe(true)
      })
    })

    test('shows through a second mount what was written through the first', async () => {
      await onPrimary(async ({ dir }) => {
        await writeFile(join(dir, 'seen'), 'first')
        await onPrimary(async (other) => {
          expect(await readFile(join(other.dir, 'seen'), 'utf8')).toBe('first')
          await writeAt(join(dir, 'seen'), 'again', 0)
          expect(await readFile(join(other.dir, 'seen'), 'utf8')).toBe('again')
        })
      })
    })

    test('shows through a secondary that was open before what every turn brings', async () => {
      const content = (letter: string) => Buffer.alloc(9_000_000, letter)
      await write('turned', content('a'))
      await cycle()
      await using secondary = await replication.openSecondary(await subject.emptyDir(), signal)
      for (const letter of ['b', 'c']) {
        expect((await readFile(join(secondary.dir, 'turned'))).equals(content(letter))).toBe(false)
        await onPrimary(({ dir }) => writeAt(join(dir, 'turned'), content(letter).toString(), 0))
        await write(`new ${letter}`, letter)
        await cycle()
        expect((await readFile(join(secondary.dir, 'turned'))).equals(content(letter))).toBe(true)
        expect(await readFile(join(secondary.dir, `new ${letter}`), 'utf8')).toBe(letter)
        await using file = await secondary.open('turned', signal)
        const read = Buffer.alloc(9_000_000)
        await file.read(read, 0)
        expect(read.equals(content(letter))).toBe(true)
      }
    })

    test('leaves no mount and no directory when a volume is closed, also when closed twice', async () => {
      const dirs = [await subject.emptyDir(), await subject.emptyDir()] as const
      const primary = await replication.openPrimary(dirs[0], signal)
      const secondary = await replication.openSecondary(dirs[1], signal)
      await readdir(primary.dir)
      await readdir(secondary.dir)
      await primary[Symbol.asyncDispose]()
      await replication.closeVolume(dirs[1], signal)
      for (const dir of dirs) {
        await replication.closeVolume(dir, signal)
        expect(await exists(dir)).toBe(false)
        expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(dir)
      }
      await secondary[Symbol.asyncDispose]()
    })

    test('closes a directory that was never mounted by removing it', async () => {
      const dir = await subject.emptyDir()
      await replication.closeVolume(dir, signal)
      expect(await exists(dir)).toBe(false)
    })

    test('does nothing when asked with an aborted signal', async () => {
      await expect(replication.start(AbortSignal.abort())).rejects.toThrow()
      expect((await replication.session(signal)).state).not.toBe('active')
    })
  })
}
