import { expect, test } from 'vitest'
import { Cancelled, CommandFailed, EngineError } from '../../src/model/errors.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { eventsOf, lies, litter, runWith, unowed } from './disturbed.ts'
import type { Intercept } from './intercept.ts'

const engineMethods = new Set(['announce', 'observe', 'takeSnapshot', 'removeSnapshot', 'vms', 'openJob'])

function aFault(method: string): Error {
  return engineMethods.has(method)
    ? new EngineError(`${method}: no answer`)
    : new CommandFailed(`${method}: broken`, { argv: ['gluster', method], exitCode: 1 })
}

/** What happens to the call `at` of a run, counted from 1. */
const modes: Record<string, (at: number, controller: AbortController) => Intercept> = {
  'fails once': (at) =>
    counting((method, act, call) => (call === at ? Promise.reject(aFault(method)) : act())),

  'does its work and loses the answer': (at) =>
    counting(async (method, act, call) => {
      const answer = await act()
      if (call === at) throw aFault(method)
      return answer
    }),

  'fails, and so do all after it': (at) =>
    counting((method, act, call) => (call >= at ? Promise.reject(aFault(method)) : act())),

  'does its work, and all after it fail': (at) =>
    counting((method, act, call) => (call > at ? Promise.reject(aFault(method)) : act())),

  'is the one at which the run is cancelled': (at, controller) =>
    counting((_method, act, call) => {
      if (call === at) controller.abort(new Cancelled('SIGTERM'))
      return act()
    }),

  'is the one after which the run is cancelled': (at, controller) =>
    counting(async (_method, act, call) => {
      const answer = await act()
      if (call === at) controller.abort(new Cancelled('SIGTERM'))
      return answer
    }),
}

function counting(
  then: (method: string, act: () => Promise<unknown>, call: number) => Promise<unknown>,
): Intercept {
  let calls = 0
  return (method, act) => {
    calls += 1
    return then(method, act, calls)
  }
}

const undisturbed: Intercept = (_method, act) => act()

async function flawsOfCall(at: number, mode: string): Promise<string[] | undefined> {
  const twoDisks = [aDisk('web-disk1'), aDisk('web-disk2')]
  await using stage = await createStage([aVm('web', { disks: twoDisks }), aVm('spare', { status: 'down' })])
  const controller = new AbortController()
  const between = modes[mode]?.(at, controller) ?? undisturbed
  const first = await runWith(stage, between, at, controller.signal)
  if (first.hit === undefined) return undefined
  const flaws = [...lies(stage, first), ...(await unowed(stage))]

  const second = await runWith(stage, undisturbed, 0, new AbortController().signal)
  flaws.push(...lies(stage, second), ...(await litter(stage)))
  if (second.report.outcome !== 'protected')
    flaws.push(`the next run: ${JSON.stringify(second.report.error)}`)
  for (const { report } of [first, second]) {
    const events = eventsOf(stage, report)
    if (events !== 1) flaws.push(`${events} closing events`)
  }
  return flaws.map((flaw) => `call ${at}, ${first.hit}: ${flaw}`)
}

test.each(Object.keys(modes))(
  'whichever call %s, no claim is false and the next run leaves all clean and protected',
  { timeout: 60_000 },
  async (mode) => {
    const flaws: string[] = []
    let at = 1
    for (; ; at += 1) {
      const found = await flawsOfCall(at, mode)
      if (found === undefined) break
      flaws.push(...found)
    }
    expect(flaws).toEqual([])
    expect(at).toBeGreaterThan(30)
  },
)
