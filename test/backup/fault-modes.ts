import { Cancelled, CommandFailed, EngineError } from '../../src/model/errors.ts'
import type { Intercept } from './intercept.ts'

const engineMethods = new Set(['announce', 'observe', 'takeSnapshot', 'removeSnapshot', 'vms', 'openJob'])

function aFault(method: string): Error {
  return engineMethods.has(method)
    ? new EngineError(`${method}: no answer`)
    : new CommandFailed(`${method}: broken`, { argv: ['gluster', method], exitCode: 1 })
}

/** What happens to the call `at` of a run, counted from 1. */
export const modes: Record<string, (at: number, controller: AbortController) => Intercept> = {
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

export const undisturbed: Intercept = (_method, act) => act()
