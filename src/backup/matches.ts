import { createContext, Script } from 'node:vm'
import { Failure } from '../model/errors.ts'
import { shown } from '../model/shown.ts'

const patienceMs = 250
const bounded = new Script('pattern.test(name)')

/** Compares without case; `*` stands for anything. Never takes longer than the two texts are long together, but for a factor. */
export function matches(pattern: string, name: string): boolean {
  const text = name.toLowerCase()
  const [first = '', ...parts] = pattern.toLowerCase().split('*')
  const last = parts.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false
  const end = text.length - last.length
  let at = first.length
  for (const part of parts) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

/**
 * A test for names by a regular expression, without case. A name has at most 255 characters, yet some expressions would
 * take for ever on it: no expression is refused, but one that needs more than a moment for a name ends with a Failure.
 */
export function expression(pattern: string): (name: string) => boolean {
  const compiled = new RegExp(pattern, 'i')
  const known = new Map<string, boolean>()
  const test = isPlain(pattern) ? (name: string) => compiled.test(name) : inTime(compiled)
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const found = test(name)
    known.set(name, found)
    return found
  }
}

/** One repetition and no group: at most the square of a name's length in steps. */
function isPlain(pattern: string): boolean {
  return !pattern.includes('(') && (pattern.match(/[*+?{]/g) ?? []).length <= 1
}

/** The engine of JavaScript stops for nobody but this. */
function inTime(compiled: RegExp): (name: string) => boolean {
  const context = createContext({ pattern: compiled, name: '' })
  return (name) => {
    context['name'] = name
    try {
      return bounded.runInContext(context, { timeout: patienceMs }) === true
    } catch (cause) {
      throw new Failure(`regex:${shown(compiled.source)} takes too long on the name ${shown(name)}`, {
        cause,
        hint: 'write the expression without repetitions inside repetitions, or select by name: with *',
      })
    }
  }
}
