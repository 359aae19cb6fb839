import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { labFor } from './agent.ts'
import { disturbances, kill } from './soak/disturbances.ts'
import { randomFrom, shuffled } from './soak/random.ts'
import { playRound } from './soak/round.ts'

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-soak', '--vms', '1', '--rate', '50')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

test('runs among faults drawn anew, and one killed at any moment, leave nothing and claim nothing false', async () => {
  const seed = Math.floor(Math.random() * 1_000_000)
  const random = randomFrom(seed)
  const [first, second] = shuffled(disturbances, random)
  for (const chosen of [[first], [second, kill]]) {
    const disturbing = chosen.filter((one) => one !== undefined)
    const names = disturbing.map(({ name }) => name).join(' + ')
    const { outcome, flaws } = await playRound(lab, disturbing, random)
    process.stdout.write(`seed ${seed}: ${names}: ${outcome}\n`)
    expect([seed, names, flaws]).toEqual([seed, names, []])
  }
})
