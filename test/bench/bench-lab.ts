import { join } from 'node:path'
import { execa } from 'execa'
import { LabClient } from '../../src/lab/client.ts'

const launcher = join(import.meta.dirname, '../../scripts/lab')

/** Brings a lab of a section's own up; disposing takes it down. What is left of an attempt that failed is taken down at once. */
export async function benchLab(
  section: string,
  signal: AbortSignal,
  ...options: string[]
): Promise<LabClient & AsyncDisposable> {
  const name = `bench-${section}`
  const down = async (): Promise<void> => {
    await execa(launcher, ['down', '--name', name])
  }
  try {
    await execa(launcher, ['up', '--name', name, ...options], { cancelSignal: signal })
    return Object.assign(await LabClient.of(name), { [Symbol.asyncDispose]: down })
  } catch (error) {
    await down()
    throw error
  }
}
