import { Unsupported } from './fault.ts'
import type { Format } from './render.ts'

const formats: Readonly<Record<string, Format>> = {
  'application/xml': 'xml',
  'text/xml': 'xml',
  'application/json': 'json',
  'application/*': 'xml',
  '*/*': 'xml',
}

/** The format to answer in. XML is the engine's default when the client names none. */
export function wantedFormat(accept: string | null): Format {
  if (accept === null || accept.trim() === '') return 'xml'
  const wanted = accept
    .split(',')
    .map((part) => part.trim().split(';'))
    .map(([type = '', ...rest]) => ({ type: type.trim().toLowerCase(), quality: qualityIn(rest) }))
    .filter(({ type, quality }) => type in formats && quality > 0)
    .sort((a, b) => b.quality - a.quality)
  const format = formats[wanted[0]?.type ?? '']
  if (format === undefined) throw new Unsupported(406)
  return format
}

/** The format of a request's body; 415 for anything but XML and JSON. */
export function bodyFormat(contentType: string | null): Format {
  const format = formats[(contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '']
  if (format === undefined || contentType?.includes('*')) throw new Unsupported(415)
  return format
}

/** The content type of an answer. */
export function contentTypeOf(format: Format): string {
  return format === 'xml' ? 'application/xml;charset=UTF-8' : 'application/json'
}

function qualityIn(parameters: readonly string[]): number {
  const q = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('q='))
  return q === undefined ? 1 : Number(q.slice(2))
}
