import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { addToken, listTokens, removeToken, whoseToken } from '../../src/api/tokens.ts'
import { Failure, Refused, Unknown, UsageError } from '../../src/model/errors.ts'
import { aFolder } from '../run/a-folder.ts'

const now = new Date('2026-11-21T12:00:00Z')

it('knows whose a token is, and which right it has', () => {
  const dir = aFolder()
  const text = addToken(dir, { name: 'ops', right: 'operate' }, now)
  addToken(dir, { name: 'grafana', right: 'read' }, now)
  expect(text).toMatch(/^vmb_[A-Za-z0-9_-]{43}$/)
  expect(whoseToken(dir, text)).toMatchObject({ name: 'ops', right: 'operate' })
  expect(whoseToken(dir, `${text} `)).toBeUndefined()
  expect(whoseToken(dir, '')).toBeUndefined()
  expect(listTokens(dir)).toEqual([
    { name: 'grafana', right: 'read', madeAt: now.toISOString() },
    { name: 'ops', right: 'operate', madeAt: now.toISOString() },
  ])
})

it('keeps no text of a token, in files that only their owner may read', () => {
  const dir = aFolder()
  const text = addToken(dir, { name: 'ops', right: 'operate' }, now)
  for (const file of readdirSync(dir)) {
    expect(statSync(join(dir, file)).mode & 0o777, file).toBe(0o600)
    const kept = readFileSync(join(dir, file), 'latin1')
    expect(kept).toContain('ops')
    expect(kept).not.toContain(text.slice(4, 24))
  }
})

it('makes another text each time', () => {
  const dir = aFolder()
  const texts = Array.from({ length: 20 }, (_, n) => addToken(dir, { name: `t${n}`, right: 'read' }, now))
  expect(new Set(texts).size).toBe(20)
})

it('forgets a token that is removed, and makes a new one of that name', () => {
  const dir = aFolder()
  const old = addToken(dir, { name: 'ops', right: 'operate' }, now)
  expect(() => addToken(dir, { name: 'ops', right: 'read' }, now)).toThrow(Refused)
  removeToken(dir, 'ops')
  expect(whoseToken(dir, old)).toBeUndefined()
  const next = addToken(dir, { name: 'ops', right: 'read' }, now)
  expect(whoseToken(dir, old)).toBeUndefined()
  expect(whoseToken(dir, next)?.right).toBe('read')
})

it('has no tokens where none was made, and makes no file to say so', () => {
  const dir = aFolder()
  expect(listTokens(dir)).toEqual([])
  expect(whoseToken(dir, 'vmb_')).toBeUndefined()
  expect(() => removeToken(dir, 'ops')).toThrow(Unknown)
  expect(readdirSync(dir)).toEqual([])
})

it('lets nobody in once the file is deleted', () => {
  const dir = aFolder()
  const text = addToken(dir, { name: 'ops', right: 'operate' }, now)
  rmSync(join(dir, 'tokens.db'))
  expect(whoseToken(dir, text)).toBeUndefined()
})

it.each(['', 'a b', '-x', 'x'.repeat(65), '../x', 'a\nb', '\u202e'])('takes %j for no name', (name) => {
  expect(() => addToken(aFolder(), { name, right: 'read' }, now)).toThrow(UsageError)
})

it('says what to do when the state directory cannot be used', () => {
  const file = join(aFolder(), 'file')
  writeFileSync(file, '')
  try {
    addToken(join(file, 'state'), { name: 'ops', right: 'read' }, now)
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(Failure)
    expect((error as Failure).hint).toContain('[state] dir')
  }
})
