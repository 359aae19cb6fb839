import { XMLParser } from 'fast-xml-parser'
import { Malformed } from './fault.ts'
import { type Field, type InputType, inputTypes } from './input-types.ts'
import type { Format } from './render.ts'

type InputValue = string | number | boolean | Date | Input | Input[]

/** A request's body, its fields typed; a list is an array, absent fields are undefined. */
export interface Input {
  [field: string]: InputValue | undefined
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
})

/** Reads a body as an input type; throws `Malformed` for what the engine answers with its usage message. */
export function parseInput(text: string, format: Format, type: string): Input {
  return readObject(format === 'json' ? fromJson(text) : fromXml(text, type), type, format)
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Malformed('not JSON', { cause })
  }
}

function fromXml(text: string, type: string): unknown {
  try {
    const tree: Record<string, unknown> = parser.parse(text, true)
    if (type in tree) return tree[type]
  } catch (cause) {
    throw new Malformed('not XML', { cause })
  }
  throw new Malformed(`<${type}> expected`)
}

function readObject(raw: unknown, type: string, format: Format): Input {
  // An empty XML element is parsed as an empty string.
  if (raw === '' && format === 'xml') return {}
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new Malformed(`${type} is no object`)
  const fields = inputTypes[type] as InputType
  const input: Input = {}
  for (const [name, value] of Object.entries(raw)) {
    const field = fields[name]
    if (field === undefined) throw new Malformed(`${type} has no ${name}`)
    if (value !== null) input[name] = readField(value, field, name, format)
  }
  return input
}

function readField(raw: unknown, field: Field, name: string, format: Format): InputValue | undefined {
  switch (field.kind) {
    case 'any':
      return undefined
    case 'object':
      return readObject(raw, field.type, format)
    case 'list':
      return readList(raw, field, name, format)
    case 'string':
      return String(scalarOf(raw, name))
    case 'int':
      return readInt(scalarOf(raw, name), name)
    case 'bool':
      return readBool(scalarOf(raw, name), name)
    case 'date':
      return readDate(scalarOf(raw, name), name)
  }
}

function readList(raw: unknown, field: Field & { kind: 'list' }, name: string, format: Format): Input[] {
  if (raw === '' && format === 'xml') return []
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw new Malformed(`${name} is no list`)
  const others = Object.keys(raw).filter((key) => key !== field.each)
  if (others.length > 0) throw new Malformed(`${name} has no ${others[0]}`)
  const items: unknown = (raw as Record<string, unknown>)[field.each] ?? []
  if (!Array.isArray(items) && format === 'json') throw new Malformed(`${name}.${field.each} is no array`)
  return [items].flat().map((item) => readObject(item, field.type, format))
}

function scalarOf(raw: unknown, name: string): string | number | boolean {
  // An XML element with attributes and text: the text counts.
  const value = typeof raw === 'object' && raw !== null && '#text' in raw ? raw['#text'] : raw
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  throw new Malformed(`${name} is no plain value`)
}

function readInt(raw: string | number | boolean, name: string): number {
  const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new Malformed(`${name} is no integer`)
  return value
}

function readBool(raw: string | number | boolean, name: string): boolean {
  const text = String(raw).trim().toLowerCase()
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new Malformed(`${name} is no boolean`)
}

function readDate(raw: string | number | boolean, name: string): Date {
  const date = new Date(typeof raw === 'boolean' ? Number.NaN : raw)
  if (Number.isNaN(date.getTime())) throw new Malformed(`${name} is no date`)
  return date
}
