import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { z } from 'zod'
import type { VmDocument, VolumeRef } from '../model/domain.ts'
import { Failure, messageOf } from '../model/errors.ts'
import { uuid } from '../model/names.ts'
import { oneLine } from '../model/shown.ts'

const suffix = '.ovf'

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  removeNSPrefix: true,
  // One reading of the five entities of XML; a document that brings its own is none of the engine's.
  processEntities: true,
})

const envelope = z.looseObject({
  Envelope: z.looseObject({
    Content: z.looseObject({ Name: z.string() }),
  }),
})

/** Reads `<id>.ovf` of a VM or template: id, name, and every volume that it names. Throws Failure when it is no such document. */
export function documentIn(member: string, text: string): VmDocument {
  const id = member.slice(0, -suffix.length)
  if (!member.endsWith(suffix) || !uuid.test(id)) throw new Failure('its name is not that of a VM')
  // The parser alone takes a document that was cut off.
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw notXml(valid.err.msg)
  const read = envelope.safeParse(parsed(text))
  if (!read.success) throw new Failure('it is no OVF with a name')
  const { Envelope } = read.data
  const named = [
    ...attributesIn(Envelope, 'File', '@href').flatMap(volumeIn),
    ...attributesIn(Envelope, 'Disk', '@fileRef').flatMap(volumeIn),
  ]
  const volumes = [...new Map(named.map((one) => [`${one.image}/${one.volume}`, one])).values()]
  return { id, name: oneLine(Envelope.Content.Name, 255), text, volumes }
}

/** The parser has limits of its own: on nesting, on entities, on names that JavaScript knows. */
function parsed(text: string): unknown {
  try {
    return parser.parse(text)
  } catch (cause) {
    throw notXml(messageOf(cause))
  }
}

function notXml(why: string): Failure {
  return new Failure(`it is no XML: ${oneLine(why, 200)}`)
}

/** Of all elements of that name, wherever they stand. */
function attributesIn(node: unknown, element: string, attribute: string): string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([name, value]) => {
    const found = name === element ? [value].flat().flatMap((one) => textAt(one, attribute)) : []
    return [...found, ...attributesIn(value, element, attribute)]
  })
}

function textAt(node: unknown, attribute: string): string[] {
  const read = z.looseObject({ [attribute]: z.string() }).safeParse(node)
  const value = read.success ? read.data[attribute] : undefined
  return typeof value === 'string' ? [value] : []
}

/** A disk that is no image (a LUN) refers to nothing of that form. */
function volumeIn(reference: string): VolumeRef[] {
  const [image = '', volume = '', ...rest] = reference.split('/')
  return uuid.test(image) && uuid.test(volume) && rest.length === 0 ? [{ image, volume }] : []
}
