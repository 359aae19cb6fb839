import { expect, test } from 'vitest'
import { bigEstate, type Costs, usualGround } from './capacity/estate.ts'
import { onPaper } from './capacity/paper.ts'
import { simulate } from './capacity/simulate.ts'

const costs: Costs = {
  cycleSeconds: 10,
  planSecondsPerVm: 0,
  cpuSecondsPerVm: 0.01,
  requestsPerVm: 4,
  compareSecondsPerImage: 0,
  lookSecondsPerPiece: 0,
}
const estate = { ...bigEstate, vmsPerEngine: 640, volumes: 2, bytes: 32e12 }

test.each([4, 16, 32])(
  'what is on paper for %i at once is what the steps take when they are played',
  async (atOnce) => {
    const knobs = { snapshotsAtOnce: atOnce, mergesAtOnce: atOnce, imagesAtOnce: 4, intervalMs: 1000 }
    const { phases } = onPaper(estate, usualGround, costs, knobs)
    const played = await simulate(estate, usualGround, knobs, phases.replicate)
    expect(played.unmerged).toBe(0)
    for (const phase of ['snapshot', 'replicate', 'merge'] as const) {
      expect(played[phase] / phases[phase]).toBeGreaterThan(0.95)
      expect(played[phase] / phases[phase]).toBeLessThan(1.15)
    }
  },
)

test('an unsharded volume is read whole in every run, however little has changed', () => {
  const knobs = { snapshotsAtOnce: 32, mergesAtOnce: 32, imagesAtOnce: 4, intervalMs: 1000 }
  const sharded = onPaper(estate, usualGround, costs, knobs).phases.replicate
  const unsharded = onPaper({ ...estate, sharded: false }, usualGround, costs, knobs).phases.replicate
  expect(unsharded).toBeCloseTo(costs.cycleSeconds + 32e12 / 10 / 2 / usualGround.readBytesPerSecond, 0)
  expect(sharded).toBeLessThan(unsharded)
})
