import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { configKeys } from '../../src/config/keys.ts'

const file = new URL('../../backup.cfg.example', import.meta.url).pathname
const env = { VMBACKUP_PASSWORD: 'hunter2' }
const stated = readStatements(readFileSync(file, 'utf8'))

/** Every `key = value` of the example, commented out or not, with the comment above it. */
function readStatements(text: string) {
  const statements: { name: string; value: string; set: boolean; comment: string }[] = []
  let section = ''
  let comment: string[] = []
  for (const line of text.split('\n')) {
    section = /^#?\[(\w+)(?: \w+)?\]$/.exec(line)?.[1] ?? section
    const [, hash, key, value] = /^(#?)([a-z_]+) =(?: (.*))?$/.exec(line) ?? []
    if (key !== undefined) {
      statements.push({
        name: `${section}.${key}`,
        value: value ?? '',
        set: hash === '',
        comment: comment.join(' '),
      })
    }
    comment = line.startsWith('# ') ? [...comment, line.slice(2)] : []
  }
  return statements
}

test('loads as it is, with nothing to warn of', async () => {
  const config = await readConfig(file, { env })
  expect(config.warnings).toEqual([])
})

test('has every known key once, in the order of the table, and no other', () => {
  expect(stated.map(({ name }) => name)).toEqual(configKeys.map(({ section, key }) => `${section}.${key}`))
})

test('sets only what is required, and states the real default of the rest', () => {
  const rest = stated.filter(({ set }) => !set).map(({ name, value }) => [name, value])
  const defaults = configKeys.filter(({ required, named }) => named || !required)
  expect(rest).toEqual(defaults.map((key) => [`${key.section}.${key.key}`, key.default ?? '']))
})

test('gives the same configuration with every stated default written out', async () => {
  const named = new Set(configKeys.flatMap((row) => (row.named ? [row.section] : [])))
  const overrides = stated.flatMap(({ name, value }) => {
    const [section = '', key = ''] = name.split('.')
    return named.has(section) ? [] : [{ section, key, value, from: name }]
  })
  expect(await readConfig(file, { env, overrides })).toEqual(await readConfig(file, { env }))
})

test.each(configKeys.map((key) => [`${key.section}.${key.key}`, key] as const))(
  'tells the meaning of %s and what is allowed',
  (name, { doc, kind }) => {
    expect(stated.find((statement) => statement.name === name)?.comment).toContain(
      `${doc} Allowed: ${kind.allowed}.`,
    )
  },
)
