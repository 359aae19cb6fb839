import type { Kind } from './kind.ts'

/** One key: its spelling in the file, what it takes, and its meaning. Without a default it may stay unset. */
export interface Key<T> {
  key: string
  kind: Kind<T>
  default: string | undefined
  required: boolean
  doc: string
}

/** A table of sections: their keys under the names that they have in Config. */
export type Table = Record<string, Record<string, Key<never> | Key<unknown>>>

/** What a section's keys become. */
export type ValuesOf<Fields> = {
  readonly [F in keyof Fields]: Fields[F] extends Key<infer T> ? T : never
}

export function required<T>(key: string, kind: Kind<T>, doc: string): Key<T> {
  return { key, kind, default: undefined, required: true, doc }
}

export function optional<T>(key: string, kind: Kind<T>, doc: string): Key<T | undefined> {
  return { key, kind: kind as Kind<T | undefined>, default: undefined, required: false, doc }
}

export function preset<T>(key: string, kind: Kind<T>, value: string, doc: string): Key<T> {
  return { key, kind, default: value, required: false, doc }
}
