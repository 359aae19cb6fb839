import { spawnSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/model/errors.ts'
import { Outbox } from '../../src/notify/outbox.ts'
import type { Receiver } from '../../src/notify/routing.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { aFolder } from '../run/a-folder.ts'
import { anAlert } from './an-alert.ts'

const ops: Receiver = { route: 'ops', channel: 'mail', to: 'ops@example.com' }
const chat: Receiver = { route: 'chat', channel: 'webhook' }
const key = 'mail ops ops@example.com'
const noon = Date.parse('2026-11-21T12:00:00Z')
const minuteMs = 60_000
const dayMs = 86_400_000

const titles = (outbox: Outbox, receiver: string) =>
  outbox.waiting(receiver).map(({ letter }) => letter.title)
const no = { certain: true, answered: false, what: 'it is away' }

describe('the outbox', () => {
  test('gives back what it took, in order, after it was closed', () => {
    const file = join(aFolder(), 'agent.db')
    const alerts = [anAlert({ job: 'data', vm: 'web' }), anAlert(), anAlert()]
    {
      using outbox = new Outbox(file)
      for (const alert of alerts) expect(outbox.take(alert, [ops, chat], noon)).toBe(true)
    }
    using outbox = new Outbox(file)
    expect(outbox.waiting(key).map(({ letter }) => letter)).toEqual(alerts)
    expect(outbox.receivers()).toEqual([key, 'webhook chat'])
  })

  test('never takes an id twice, also when that was sent long ago', () => {
    using outbox = new Outbox(':memory:')
    const alert = anAlert()
    expect(outbox.take(alert, [ops], noon)).toBe(true)
    expect(outbox.take({ ...alert, title: 'other words' }, [ops, chat], noon)).toBe(false)
    outbox.begin('m', outbox.waiting(key))
    outbox.sent(key, 'm', noon)
    outbox.prune(noon + 80 * dayMs)
    expect(outbox.take(alert, [ops], noon + 80 * dayMs)).toBe(false)
    expect(outbox.counts()).toEqual({ waiting: 0, failing: 0, givenUp: 0 })
    outbox.prune(noon + 91 * dayMs)
    expect(outbox.knows(alert.id)).toBe(false)
  })

  test('holds what a process took that was killed in the next moment', () => {
    const file = join(aFolder(), 'agent.db')
    const source = new URL('../../src/notify/outbox.ts', import.meta.url).href
    const dies = `
      import { Outbox } from ${JSON.stringify(source)}
      const outbox = new Outbox(${JSON.stringify(file)})
      outbox.take(${JSON.stringify(anAlert({ title: 'help' }))}, [${JSON.stringify(ops)}], 1)
      process.kill(process.pid, 'SIGKILL')`
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', dies]).signal).toBe('SIGKILL')
    using outbox = new Outbox(file)
    expect(titles(outbox, key)).toEqual(['help'])
  })

  test('knows who was told of a matter until it is over', () => {
    using outbox = new Outbox(':memory:')
    outbox.take(anAlert({ matter: 'rpo web', kind: 'rpo breach' }), [ops], noon)
    expect(outbox.wasTold('rpo web', key)).toBe(true)
    expect(outbox.wasTold('rpo web', 'webhook chat')).toBe(false)
    outbox.take(anAlert({ matter: 'rpo web', kind: 'rpo clear' }), [ops], noon)
    expect(outbox.wasTold('rpo web', key)).toBe(false)
  })

  test('tries again after 1, 2, 4 minutes and so on, at last every hour, and anew after a success', () => {
    using outbox = new Outbox(':memory:')
    outbox.take(anAlert(), [ops], noon)
    const pauses = Array.from({ length: 8 }, () => {
      outbox.begin('m', outbox.waiting(key))
      return (outbox.failed(key, 'm', no, noon).nextAt - noon) / minuteMs
    })
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    expect(outbox.counts()).toMatchObject({ waiting: 1, failing: 1 })
    outbox.begin('m', outbox.waiting(key))
    outbox.sent(key, 'm', noon)
    expect(outbox.failing()).toEqual([])
    expect(outbox.failed(key, 'm', no, noon).nextAt - noon).toBe(minuteMs)
  })

  test('keeps a message together only when it may have arrived', () => {
    using outbox = new Outbox(':memory:')
    outbox.take(anAlert(), [ops], noon)
    const fails = (certain: boolean) => {
      outbox.begin('m', outbox.waiting(key))
      outbox.failed(key, 'm', { ...no, certain }, noon)
      return outbox.waiting(key)[0]?.message
    }
    expect(fails(true)).toBeUndefined()
    expect(fails(false)).toBe('m')
  })

  test('tells that a letter was damaged on disk, instead of losing it or stopping', () => {
    const file = join(aFolder(), 'agent.db')
    using outbox = new Outbox(file)
    outbox.take(anAlert(), [ops], noon)
    using db = new DatabaseSync(file)
    for (const damaged of ['{"id":', '[]', '{"id":1,"at":"x"}']) {
      db.prepare('UPDATE outbox_telling SET letter = ?').run(damaged)
      expect(outbox.waiting(key)[0]?.letter).toMatchObject({
        severity: 'alert',
        title: 'an alert cannot be read any more',
      })
    }
  })

  test('takes over what another one holds, also what that has sent', () => {
    using disk = new Outbox(':memory:')
    const [old, sent, open] = [anAlert(), anAlert(), anAlert()]
    disk.take(old, [ops], noon)
    using spare = new Outbox(':memory:')
    spare.take(sent, [chat], noon)
    spare.begin('m', spare.waiting('webhook chat'))
    spare.sent('webhook chat', 'm', noon)
    spare.take(open, [ops], noon)
    spare.failed(key, 'n', no, noon)
    disk.adopt(spare)
    expect(titles(disk, key)).toEqual([old.title, open.title])
    expect(disk.take(sent, [chat], noon)).toBe(false)
    expect(disk.failing()).toHaveLength(1)
    expect(disk.sentSince('webhook chat', 0)).toEqual([noon])
  })

  test('shares a file with the ledger', () => {
    const file = join(aFolder(), 'vmbackup.db')
    using ledger = new Ledger(file, 'pair')
    using outbox = new Outbox(file)
    outbox.take(anAlert(), [ops], noon)
    ledger.owe('run-1', { kind: 'session' })
    expect(ledger.open()).toHaveLength(1)
    expect(outbox.waiting(key)).toHaveLength(1)
    using again = new Ledger(file, 'pair')
    expect(again.open()).toHaveLength(1)
  })

  test('takes and strikes a hundred alerts without a byte more on disk: also when that is full', () => {
    const file = join(aFolder(), 'agent.db')
    using outbox = new Outbox(file)
    const sizes = () => [file, `${file}-journal`].map((name) => statSync(name).size)
    const before = sizes()
    for (let n = 0; n < 100; n += 1) outbox.take(anAlert({ text: 'x'.repeat(500) }), [ops, chat], noon)
    outbox.begin('m', outbox.waiting(key))
    outbox.sent(key, 'm', noon)
    expect(sizes()).toEqual(before)
  })

  test('can be read by its owner only', () => {
    const file = join(aFolder(), 'agent.db')
    new Outbox(file)[Symbol.dispose]()
    expect((statSync(file).mode & 0o077).toString(8)).toBe('0')
  })

  test('is not touched when a later version wrote it', () => {
    const file = join(aFolder(), 'agent.db')
    new Outbox(file)[Symbol.dispose]()
    using db = new DatabaseSync(file)
    db.exec("UPDATE outbox_fact SET value = '99' WHERE name = 'version'")
    expect(() => new Outbox(file)).toThrow(Failure)
  })

  test.each<[string, (folder: string) => string]>([
    ['is no database', (folder) => aFileIn(folder, 'agent.db')],
    ['would be below a file', (folder) => join(aFileIn(folder, 'file'), 'agent.db')],
    ['is a directory', (folder) => folder],
  ])('cannot be opened when its file %s, and says where to look', (_why, place) => {
    const file = place(aFolder())
    const open = () => new Outbox(file)
    expect(open).toThrow(`cannot open the file of alerts ${file}`)
    expect(open).toThrow(expect.objectContaining({ hint: expect.stringContaining('[state] dir') }))
  })
})

function aFileIn(folder: string, name: string): string {
  const file = join(folder, name)
  writeFileSync(file, 'x'.repeat(4096))
  return file
}
