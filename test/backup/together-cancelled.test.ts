import { expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import { createTwoPairs } from '../support/two-pairs.ts'
import { goodRun } from './clean-end.ts'
import { claimsOf, litterOf, statesOf, whysOf } from './pairs-after.ts'

/** By the run: the first leads. */
const steps = [
  [...goodRun.slice(0, -2), 'merge shared VMs', 'prove', 'write manifest'],
  [...goodRun.slice(0, -2), 'clean up shared VMs', 'prove', 'write manifest'],
] as const
const own = ['left', 'right'] as const

test.each(steps.flatMap((names, at) => names.map((step) => [step, at as 0 | 1] as const)))(
  'cancelled when "%s" begins in run %i, both runs leave nothing, and no claim of a VM on both is left',
  async (step, at) => {
    await using pairs = await createTwoPairs()
    const controller = new AbortController()
    const { signal } = controller
    const reports = await pairs.run(
      {},
      {
        signals: [signal, signal],
        onEvent(run, event) {
          if (run === at && event.kind === 'step began' && event.step === step)
            controller.abort(new Cancelled('SIGTERM'))
        },
      },
    )
    expect(reports[at].outcome).toBe('cancelled')
    for (const states of statesOf(reports)) expect([undefined, 'failed']).toContain(states['both'])
    expect(await claimsOf(pairs, 'both')).not.toContain('protected')
    expect(await litterOf(pairs)).toEqual([])
  },
)

test.each(steps.flatMap((names, at) => names.map((step) => [step, at as 0 | 1] as const)))(
  'when "%s" begins run %i alone ends: the other goes on with its own VMs, those on both have failed in it, too',
  async (step, at) => {
    await using pairs = await createTwoPairs()
    const controller = new AbortController()
    const alive = new AbortController().signal
    const reports = await pairs.run(
      {},
      {
        signals: at === 0 ? [controller.signal, alive] : [alive, controller.signal],
        onEvent(run, event) {
          if (run === at && event.kind === 'step began' && event.step === step)
            controller.abort(new Cancelled('its lease was lost'))
        },
      },
    )
    const other = at === 0 ? 1 : 0
    expect(reports[at].outcome).toBe('cancelled')
    expect(reports[other].error).toBeUndefined()
    expect(statesOf(reports)[other]).toEqual({ both: 'failed', idle: 'failed', [own[other]]: 'protected' })
    expect(whysOf(reports, 'both')[other]).toMatch(/data2?(:|, whose).* its lease was lost/)
    expect((await claimsOf(pairs, 'both'))[other]).toBe('failed')
    expect(await litterOf(pairs)).toEqual([])
  },
)
