import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, passes, takeSnapshot } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

test('every href that an answer holds is served', async () => {
  const lab = await anEngine({ vms: 1 })
  await takeSnapshot(lab, 'vm1')
  await lab.admin('POST', '/tags', { name: 'gold' })
  await lab.admin('POST', `/vms/${lab.vm('vm1').id}/tags`, { name: 'gold' })
  const { json: job } = await lab.admin('POST', '/jobs', { description: 'backup' })
  await lab.admin('POST', `/jobs/${job.id}/steps`, { description: 'one', type: 'executing' })
  await passes(1000)

  const seen = new Set<string>(['/'])
  const broken: string[] = []
  for (const path of seen) {
    const { status, json } = await lab.admin('GET', path)
    if (status !== 200) broken.push(`${status} ${path}`)
    for (const href of hrefsIn(json)) seen.add(href.replace('/ovirt-engine/api', ''))
  }
  expect(broken).toEqual([])
  expect(seen.size).toBeGreaterThan(100)
})

/** All hrefs but those of actions and of searches. */
function hrefsIn(json: unknown): string[] {
  if (typeof json !== 'object' || json === null) return []
  return Object.entries(json).flatMap(([name, value]) => {
    if (name === 'actions') return []
    if (name === 'href' && typeof value === 'string') return value.includes('{') ? [] : [value]
    return hrefsIn(value)
  })
}
