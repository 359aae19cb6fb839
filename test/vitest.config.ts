import { defineConfig } from 'vitest/config'
import { CountReporter } from './support/count-reporter.ts'

const root = new URL('..', import.meta.url).pathname

export default defineConfig({
  root,
  test: {
    reporters: ['default', new CountReporter()],
    projects: [
      {
        root,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'node_modules/**'],
          testTimeout: 20_000,
        },
      },
      {
        root,
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
