import { expect, test } from 'vitest'
import { parsers } from './parsers.ts'

// scripts/fuzz tries many more.
const inputs = 60

test.each(parsers)('$name: whatever comes is refused in one clear line, or read rightly', async (one) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const { failure } = await one.check({ inputs, seed })
  expect(failure, `scripts/fuzz ${inputs} --seed ${seed} --only "${one.name}"`).toBeUndefined()
})

test('no two parsers have the same name', () => {
  expect(new Set(parsers.map(({ name }) => name)).size).toBe(parsers.length)
})
