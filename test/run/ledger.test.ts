import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/model/errors.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { describeObligation, type Obligation } from '../../src/run/obligation.ts'
import { uuidOf } from '../support/vms.ts'
import { aFolder } from './a-folder.ts'

const vm = { id: 'vm-1', name: 'web' }
const overlays = [{ image: uuidOf('i'), base: uuidOf('b'), overlay: uuidOf('o') }]
const domain = uuidOf('d')

/** One of each kind there is. */
const each: Obligation[] = [
  { kind: 'overlays', vm, domain, overlays },
  { kind: 'snapshot', vm, domain, description: 'vmbackup 1', overlays },
  { kind: 'freeze', vm },
  { kind: 'session' },
  { kind: 'mount', dir: '/mnt/x', on: 'here' },
  { kind: 'job', text: 'vmbackup 1' },
  { kind: 'event', number: 7, startedAt: '2026-11-21T00:00:00.000Z' },
]

function reopened(file: string, pair = 'pair'): Obligation[] {
  using ledger = new Ledger(file, pair)
  return ledger.open().map(({ what }) => what)
}

describe('the ledger', () => {
  test('gives back every kind of obligation as it was, newest first, after it was closed', () => {
    const file = join(aFolder(), 'vmbackup.db')
    {
      using ledger = new Ledger(file, 'pair')
      for (const what of each) ledger.owe('run-1', what)
    }
    expect(reopened(file)).toEqual(each.toReversed())
  })

  test('knows the run that owes', () => {
    using ledger = new Ledger(':memory:', 'pair')
    ledger.owe('run-1', { kind: 'session' })
    ledger.owe('run-2', { kind: 'session' })
    expect(ledger.open().map(({ run }) => run)).toEqual(['run-2', 'run-1'])
  })

  test('hides what another volume pair owes', () => {
    const file = join(aFolder(), 'vmbackup.db')
    using ours = new Ledger(file, 'a--h--b')
    using theirs = new Ledger(file, 'a--h--c')
    ours.owe('run-1', { kind: 'session' })
    expect(theirs.open()).toEqual([])
    expect(ours.open()).toHaveLength(1)
  })

  test('forgets for good exactly what is struck', () => {
    const file = join(aFolder(), 'vmbackup.db')
    {
      using ledger = new Ledger(file, 'pair')
      const [, second] = each.map((what) => ledger.owe('run-1', what))
      if (second) ledger.strike(second)
    }
    expect(reopened(file)).toEqual(each.filter(({ kind }) => kind !== 'snapshot').toReversed())
  })

  test('never gives the id of a struck entry to a new one', () => {
    using ledger = new Ledger(':memory:', 'pair')
    const first = ledger.owe('run-1', { kind: 'session' })
    ledger.strike(first)
    const second = ledger.owe('run-2', { kind: 'session' })
    ledger.strike(first)
    expect(ledger.open()).toEqual([second])
  })

  test('holds what a process wrote that was killed in the next moment', () => {
    const file = join(aFolder(), 'vmbackup.db')
    const dies = `
      import { Ledger } from ${JSON.stringify(new URL('../../src/run/ledger.ts', import.meta.url).href)}
      const ledger = new Ledger(${JSON.stringify(file)}, 'pair')
      ledger.owe('run-1', { kind: 'mount', dir: '/a', on: 'here' })
      ledger.owe('run-1', { kind: 'session' })
      process.kill(process.pid, 'SIGKILL')`
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', dies])
    expect(signal).toBe('SIGKILL')
    expect(reopened(file)).toEqual([{ kind: 'session' }, { kind: 'mount', dir: '/a', on: 'here' }])
  })

  test('is shared by runs of two pairs at the same time', () => {
    const file = join(aFolder(), 'vmbackup.db')
    const writes = `
      import { Ledger } from ${JSON.stringify(new URL('../../src/run/ledger.ts', import.meta.url).href)}
      const ledger = new Ledger(${JSON.stringify(file)}, 'other')
      for (let n = 0; n < 20; n += 1) ledger.owe('run-2', { kind: 'session' })`
    using ledger = new Ledger(file, 'pair')
    ledger.owe('run-1', { kind: 'session' })
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', writes])
    ledger.owe('run-1', { kind: 'session' })
    expect(status).toBe(0)
    expect(reopened(file, 'other')).toHaveLength(20)
    expect(ledger.open()).toHaveLength(2)
  })

  test('takes and strikes hundreds of entries without a byte more on disk: also when that is full', () => {
    const file = join(aFolder(), 'vmbackup.db')
    using ledger = new Ledger(file, 'pair')
    const sizes = () => [file, `${file}-journal`].map((name) => statSync(name).size)
    const before = sizes()
    const owed = Array.from({ length: 300 }, () =>
      ledger.owe('run-1', { kind: 'job', text: 'x'.repeat(200) }),
    )
    for (const one of owed) ledger.strike(one)
    expect(sizes()).toEqual(before)
    expect(ledger.open()).toEqual([])
  })

  test('is not touched when a later version wrote it', () => {
    const file = join(aFolder(), 'vmbackup.db')
    new Ledger(file, 'pair')[Symbol.dispose]()
    using db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    expect(() => new Ledger(file, 'pair')).toThrow(Failure)
  })

  test('can be read by its owner only, also in a directory that others may enter', () => {
    const folder = aFolder()
    const file = join(folder, 'open', 'vmbackup.db')
    mkdirSync(join(folder, 'open'), { mode: 0o755 })
    new Ledger(file, 'pair')[Symbol.dispose]()
    expect((statSync(file).mode & 0o077).toString(8)).toBe('0')
  })

  test.each<[string, (folder: string) => string]>([
    ['the place is below a file', (folder) => join(aFileIn(folder, 'file'), 'vmbackup.db')],
    ['the file is no database', (folder) => aFileIn(folder, 'vmbackup.db', 'x'.repeat(4096))],
    ['the file is a directory', (folder) => folder],
  ])('cannot be opened when %s, and says where to look', (_why, place) => {
    const file = place(aFolder())
    const open = () => new Ledger(file, 'pair')
    expect(open).toThrow(Failure)
    expect(open).toThrow(`cannot open the state file ${file}`)
    expect(open).toThrow(expect.objectContaining({ hint: expect.stringContaining('--state-dir') }))
  })
})

function aFileIn(folder: string, name: string, text = ''): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('every obligation has words for people', () => {
  expect(each.map(describeObligation)).toEqual([
    'removal of 1 overlay(s) of VM web on the secondary',
    'merge of snapshot "vmbackup 1" of VM web',
    'thaw of the file systems of VM web',
    'stop of the replication session',
    'unmount of /mnt/x',
    'end of the engine\'s job "vmbackup 1"',
    'closing event on the engine',
  ])
})
