import { z } from 'zod'

const seconds = z.array(z.number())

/** What `measure-inside.ts` prints: seconds that each way took, turn by turn. */
export const Inside = z.object({
  /** Random data. */
  full: z.object({ bytes: z.number(), ours: seconds, cmp: seconds, sha256sum: seconds, reading: seconds }),
  /** Mostly holes. */
  sparse: z.object({ bytes: z.number(), ours: seconds, cmp: seconds }),
  /** Of a large image without data; `bytesRead` at each end. */
  quick: z.object({ sizeBytes: z.number(), bytesRead: z.number(), ours: seconds }),
})
export type Inside = z.output<typeof Inside>
