import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { z } from 'zod'
import { Failure, messageOf } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'

/** An element of a gluster answer: text, or children by name. */
export type XmlNode = string | Map<string, XmlNode[]>

const parser = new XMLParser({
  ignoreAttributes: true,
  // Names and times must stay as they were written.
  parseTagValue: false,
  isArray: () => true,
})

/** Reads one answer of `gluster --xml`. Throws Failure when it is cut off, or something else. */
export function parseAnswer(text: string): {
  opRet: number
  opErrno: number
  opErrstr: string
  root: XmlNode
} {
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw notXml(`${valid.err.msg} (line ${valid.err.line})`)
  const root = child(nodeIn(text), 'cliOutput')
  const opRet = wholeIn(root, 'opRet')
  if (root === undefined || opRet === undefined) throw new Failure('no cliOutput with an opRet')
  return { opRet, opErrno: wholeIn(root, 'opErrno') ?? 0, opErrstr: textOf(root, 'opErrstr'), root }
}

/** The validator lets some broken text through that the parser then throws at. */
function nodeIn(text: string): XmlNode {
  try {
    return asNode(parser.parse(text))
  } catch (cause) {
    throw notXml(messageOf(cause))
  }
}

function notXml(why: string): Failure {
  return new Failure(`not well-formed XML: ${oneLine(why, 200)}`)
}

const parsed = z.record(z.string(), z.unknown())

function asNode(value: unknown): XmlNode {
  if (typeof value === 'string') return value
  const entries = Object.entries(parsed.parse(value))
  return new Map(entries.map(([name, found]) => [name, [found].flat().map(asNode)]))
}

/** All children of these names (the generations of Gluster differ in them). */
export function children(of: XmlNode | undefined, ...names: string[]): XmlNode[] {
  if (of === undefined || typeof of === 'string') return []
  return names.flatMap((name) => of.get(name) ?? [])
}

/** The first child of these names. */
export function child(of: XmlNode | undefined, ...names: string[]): XmlNode | undefined {
  return children(of, ...names)[0]
}

/** The text of the first child of these names, on one line; empty when there is none. */
export function textOf(of: XmlNode | undefined, ...names: string[]): string {
  const found = child(of, ...names)
  return typeof found === 'string' ? oneLine(found) : ''
}

/** The number in the first child of these names; undefined when there is none, or something else. */
export function wholeIn(of: XmlNode | undefined, ...names: string[]): number | undefined {
  const text = textOf(of, ...names)
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined
}
