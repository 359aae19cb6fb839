import type { Section } from './figure.ts'

/** In the order in which they run; each is loaded when it is measured. */
export const sections: Record<string, () => Promise<{ section: Section }>> = {
  start: () => import('./start.ts'),
  engine: () => import('./engine.ts'),
  content: () => import('./content.ts'),
  replication: () => import('./replication.ts'),
  run: () => import('./run.ts'),
  capacity: () => import('./capacity.ts'),
}
