import { describe, expect, test } from 'vitest'
import {
  Cancelled,
  CommandFailed,
  EngineError,
  Failure,
  Locked,
  Refused,
  TimedOut,
  UsageError,
} from '../../src/model/errors.ts'
import { exitCodeOf, type Outcome, outcomeOf, reportedError, type VmResult } from '../../src/run/report.ts'
import { someMoment } from '../support/vms.ts'

const vm = { id: '1', name: 'web', disks: [] }
const good: VmResult = { ...vm, state: 'protected', consistency: 'crash', ...someMoment }
const out: VmResult = { ...vm, state: 'left out', why: 'hosted engine' }
const bad: VmResult = { ...vm, state: 'failed', why: 'torn' }

test.each<[Outcome, VmResult[]]>([
  ['protected', [good, good]],
  ['protected', [good, out]],
  ['protected', []],
  ['partly protected', [good, bad]],
  ['partly protected', [good, bad, out]],
  ['failed', [bad]],
  ['failed', [bad, out]],
])('without an error the outcome is "%s" for %j', (outcome, vms) => {
  expect(outcomeOf(vms, undefined)).toBe(outcome)
})

test.each<[Outcome, unknown]>([
  ['cancelled', new Cancelled('SIGTERM')],
  ['refused', new Refused('no session')],
  ['locked', new Locked('another run')],
  ['usage error', new UsageError('what?')],
  ['failed', new TimedOut('too long')],
  ['failed', new EngineError('no answer')],
  ['failed', new CommandFailed('gluster', { argv: [] })],
  ['failed', new Error('a bug')],
  ['failed', 'a text that was thrown'],
  ['failed', null],
])('the outcome is "%s" after %s, whatever was protected by then', (outcome, error) => {
  expect(outcomeOf([good], error)).toBe(outcome)
})

test.each<[Outcome, number]>([
  ['protected', 0],
  ['failed', 1],
  ['usage error', 2],
  ['partly protected', 3],
  ['refused', 4],
  ['locked', 5],
  ['cancelled', 130],
])('"%s" ends the process with %d', (outcome, code) => {
  expect(exitCodeOf(outcome)).toBe(code)
})

describe('an error in a report', () => {
  test('has its causes from the outside in, each said once, and the first hint of the chain', () => {
    const inmost = new Failure('connection refused', { hint: 'is the engine up?' })
    const same = new Error('no answer', { cause: inmost })
    const outer = new Error('no answer', { cause: same })
    expect(reportedError(new Failure('preflight', { cause: outer }))).toEqual({
      message: 'preflight',
      causes: ['no answer', 'connection refused'],
      hint: 'is the engine up?',
    })
  })

  test('takes the outer hint where there are two', () => {
    const error = new Failure('a', { hint: 'outer', cause: new Failure('b', { hint: 'inner' }) })
    expect(reportedError(error).hint).toBe('outer')
  })

  test('has no hint where nobody gave one', () => {
    expect(reportedError(new Error('a'))).toEqual({ message: 'a', causes: [] })
  })

  test.each([
    ['a text', 'a text'],
    [null, 'null'],
    [undefined, 'unknown error'],
  ])('says something of %j, too', (thrown, message) => {
    expect(reportedError(thrown)).toEqual({ message, causes: [] })
  })
})
