import type { Reporter, TestModule } from 'vitest/node'

/** Ends the output with one plain line that counts the tests, for programs that read no vitest. */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1
      for (const test of module.children.allTests()) count[test.result().state] += 1
    }
    const skipped = count.skipped + count.pending
    process.on('exit', () => {
      const more = skipped > 0 ? `, ${skipped} skipped` : ''
      process.stdout.write(`${count.passed} passed, ${count.failed} failed${more}\n`)
    })
  }
}
