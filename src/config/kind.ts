import { z } from 'zod'

/** A kind of value: its text in the file to what the program uses, and back. `allowed` says what may be written. */
export interface Kind<T> {
  allowed: string
  schema: z.ZodType<T, string>
  /** True when the text may go on on further, indented lines. */
  lines?: true
}

/** What is wrong with a text, in words that never hold more of it than may be shown. */
export class Wrong {
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}

export function kind<T>(
  allowed: string,
  read: (text: string) => T | Wrong,
  write: (value: T) => string,
): Kind<T> {
  const schema = z.codec(z.string(), z.custom<T>(), {
    decode(text, context) {
      const value = read(text)
      if (!(value instanceof Wrong)) return value
      context.issues.push({ code: 'custom', message: value.what, input: undefined })
      return z.NEVER
    },
    encode: write,
  })
  return { allowed, schema }
}
