import { z } from 'zod'
import { line, read, whole } from './wire.ts'

const version = z.object({
  major: whole.nullish(),
  minor: whole.nullish(),
  build: whole.nullish(),
  full_version: line.nullish(),
})

const api = z
  .object({ product_info: z.object({ name: line.nullish(), version: version.nullish() }) })
  .transform(({ product_info: { name, version: found } }) => ({
    name: name || 'oVirt Engine',
    major: found?.major ?? undefined,
    minor: found?.minor ?? undefined,
    version: shortVersion(found ?? {}),
  }))

/** What the engine says it is, from the root of the API. */
export type Product = z.output<typeof api>

/** Reads the root of the API. */
export function productIn(body: unknown): Product {
  return read(api, body, 'description of itself')
}

/** False also for an engine that does not tell its version. */
export function isOlderThan(product: Product, major: number, minor: number): boolean {
  if (product.major === undefined || product.minor === undefined) return false
  return product.major < major || (product.major === major && product.minor < minor)
}

function shortVersion({ major, minor, build, full_version }: z.output<typeof version>): string {
  if (typeof major === 'number' && typeof minor === 'number') return [major, minor, build ?? 0].join('.')
  return full_version || 'of unknown version'
}
