import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { z } from 'zod'
import { messageOf } from '../model/errors.ts'

/** An element of a gluster answer: text, or children by name. */
export type XmlNode = string | Map<string, XmlNode[]>

const parser = new XMLParser({
  ignoreAttributes: true,
  // Names and times must stay as they were written.
  parseTagValue: false,
  isArray: () => true,
})

/** Reads one answer of `gluster --xml`. Throws when it is cut off, or something else. */
export function parseAnswer(text: string): {
  opRet: number
  opErrno: number
  opErrstr: string
  root: XmlNode
} {
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw new Error(`not well-formed XML: ${valid.err.msg} (line ${valid.err.line})`)
  const root = child(nodeIn(text), 'cliOutput')
  const opRet = Number(textOf(root, 'opRet') || Number.NaN)
  if (root === undefined || Number.isNaN(opRet)) throw new Error('no cliOutput with an opRet')
  return { opRet, opErrno: Number(textOf(root, 'opErrno')), opErrstr: textOf(root, 'opErrstr'), root }
}

/** The validator lets some broken text through that the parser then throws at. */
function nodeIn(text: string): XmlNode {
  try {
    return asNode(parser.parse(text))
  } catch (cause) {
    throw new Error(`not well-formed XML: ${messageOf(cause)}`, {
      cause,
    })
  }
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

/** The trimmed text of the first child of these names; empty when there is none. */
export function textOf(of: XmlNode | undefined, ...names: string[]): string {
  const found = child(of, ...names)
  return typeof found === 'string' ? found.trim() : ''
}
