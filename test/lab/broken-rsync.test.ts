import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { configWith, labFor, runAgent } from './agent.ts'

// rsync 3.5 on the secondary: Gluster says "checkpoint completed: Yes", and nothing has been copied.

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-rsync', '--vms', '1', '--rate', '50', '--broken-rsync')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

test('an rsync that copies nothing is refused before anything is touched', async () => {
  const version = await lab.run('gs1', 'rsync', '--version')
  expect(version).toMatch(/version 3\.[5-9]/)
  const { exitCode, report } = await runAgent(lab.vmbackup())
  expect(exitCode).toBe(4)
  expect(report.error?.message).toMatch(/rsync .*copies nothing/)
  expect(report.error?.hint).toContain('tarssh')
})

test('where nobody may ask for its version, the run warns, the checkpoint is reached, and nothing is claimed', async () => {
  const config = await configWith(
    lab,
    (text) => `${text.replace(/^secondary_command.*$/m, '')}\n[verify]\nheal = 0\n`,
  )
  const { exitCode, report, stderr } = await runAgent([...lab.vmbackup(), '--config', config])
  expect(report.warnings.join()).toContain('its version is not known')
  expect(stderr).toMatch(/step began\s+step: "compare"/)
  expect(report.vms.filter(({ state }) => state === 'protected')).toEqual([])
  const failed = report.vms.filter(({ state }) => state === 'failed')
  expect(failed.map(({ name }) => name)).toEqual(['extra', 'idle', 'special', 'vm1'])
  for (const { why } of failed) expect(why).toContain('the copy is not the same')
  // Without its description an image is not touched: the next run looks again.
  for (const { why } of report.leftOpen) expect(why).toContain('cannot clean image')
  expect(exitCode).toBe(1)
})
