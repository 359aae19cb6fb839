import { z } from 'zod'

/** What has changed since the last cycle. */
export const caseNames = ['no change', '64 MiB new', '1 GiB with 5% changed'] as const
export type Case = (typeof caseNames)[number]

/** Who replicates: the product, Gluster's script, or somebody who drives the session by hand. */
export const toolNames = ['ours', 'script', 'by hand'] as const
export type Tool = (typeof toolNames)[number]

/** One cycle that delivered what it should. */
export const measurementShape = z.object({
  tool: z.enum(toolNames),
  seconds: z.number(),
  /** Cycles before it that Gluster itself broke, and that count for nothing. */
  again: z.int(),
})
export type Measurement = z.output<typeof measurementShape>
