import { z } from 'zod'
import { EngineError } from '../model/errors.ts'
import { entityId } from '../model/names.ts'
import { oneLine } from '../model/shown.ts'

/** Text, also where the engine writes a bare number or boolean. */
export const text = z
  .union([z.string(), z.number(), z.boolean()], { error: 'expected text' })
  .transform(String)

/** A name or a sentence: it is shown to people, and goes into reports and manifests. */
export const line = text.transform((found) => oneLine(found, 300))

/** An id; what could lead elsewhere is none. */
export const id = text.pipe(z.string().regex(entityId, { error: 'expected an id' }))

/** A boolean; the real engine writes `"true"`, its documentation shows `true`. */
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((word) => word === 'true')], {
  error: 'expected true or false',
})

/** A whole number; the real engine writes `"42"`, its documentation shows `42`. */
export const whole = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^-?\d{1,16}$/)
        .transform(Number),
    ],
    { error: 'expected a whole number' },
  )
  .pipe(z.int({ error: 'expected a whole number' }))

/** A number of things or bytes. */
export const amount = whole.pipe(z.int().nonnegative({ error: 'expected 0 or more' }))

/** A reference to another entity; only its id counts. */
export const reference = z.object({ id })

/** A collection `{"vm": [...]}`; the engine writes an empty one as `{}`. */
export function list<T extends z.ZodType>(key: string, item: T) {
  return z
    .looseObject({}, { error: 'expected a collection' })
    .nullish()
    .transform((collection) => collection?.[key] ?? [])
    .pipe(z.array(item))
}

/** A value whose words are known; another word becomes `otherwise`, a missing one `absent`. */
export function word<const T extends string>(known: readonly T[], otherwise: T, absent: T = otherwise) {
  return text.nullish().transform((found): T => {
    if (found === null || found === undefined) return absent
    return known.find((one) => one === found.toLowerCase()) ?? otherwise
  })
}

/** What the engine sent, as the shape says, or an EngineError that names the field. `thing` completes "the engine's ...". */
export function read<T extends z.ZodType>(shape: T, value: unknown, thing: string): z.output<T> {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const first = result.error.issues[0]
  const field = first === undefined || first.path.length === 0 ? 'the answer' : first.path.join('.')
  throw new EngineError(
    `the engine's ${thing} cannot be read: ${field}: ${first?.message ?? 'unexpected shape'}`,
    {
      hint: 'report this with the engine version: the API answered in a way this version does not know',
    },
  )
}
