import { defineConfig } from 'vitest/config'
import { CountReporter } from './support/count-reporter.ts'

const root = new URL('..', import.meta.url).pathname
/** Every call fails once, a kill at every write: what takes minutes because it leaves out nothing. */
const everyCase = ['test/crash/**/*.test.ts', 'test/backup/every-call*.test.ts']
// Many tests start processes of ours: what Node compiled for one of them serves the next, which takes a third of the time.
const env = { NODE_COMPILE_CACHE: `${root}node_modules/.cache/compile` }

export default defineConfig({
  root,
  test: {
    reporters: ['default', new CountReporter()],
    // One worker for each core: most of the time is spent in child processes and on the loop-back.
    maxWorkers: '100%',
    projects: [
      {
        root,
        test: {
          name: 'unit',
          env,
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', ...everyCase, 'node_modules/**'],
          testTimeout: 20_000,
        },
      },
      {
        root,
        test: { name: 'every-case', env, include: everyCase, sequence: { groupOrder: 1 } },
      },
      {
        root,
        test: {
          name: 'lab',
          env,
          include: ['test/lab/**/*.test.ts'],
          fileParallelism: true,
          // After the others, so that nothing else loads the machine meanwhile.
          sequence: { groupOrder: 2 },
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
