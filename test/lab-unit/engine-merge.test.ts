import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, diskOf, type Lab, passes, takeSnapshot } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

async function snapshotPath(lab: Lab, name: string): Promise<string> {
  const snapshot = await takeSnapshot(lab, name)
  return `/vms/${lab.vm(name).id}/snapshots/${snapshot.id}`
}

test('deleting a snapshot answers 200 before the merge is done', async () => {
  const lab = await anEngine()
  const path = await snapshotPath(lab, 'vm1')
  const { status, json } = await lab.admin('DELETE', `${path}?correlation_id=remove-1`)
  expect(status).toBe(200)
  expect(json).toMatchObject({ status: 'complete', job: { href: `/ovirt-engine/api/jobs/${json.job.id}` } })
  expect((await lab.admin('GET', `/jobs/${json.job.id}`)).json.status).toBe('started')
  expect((await lab.admin('GET', path)).json.snapshot_status).toBe('locked')
  expect((await diskOf(lab, 'vm1')).status).toBe('locked')
})

test('a merge ends in the base, which keeps its id and is the leaf again', async () => {
  const lab = await anEngine()
  const { id, image_id: base } = await diskOf(lab, 'vm1')
  const { json } = await lab.admin('DELETE', await snapshotPath(lab, 'vm1'))
  await passes(10_000)
  expect(await diskOf(lab, 'vm1')).toMatchObject({ image_id: base, status: 'ok' })
  expect([...(lab.host.images.get(id)?.entries() ?? [])]).toMatchObject([
    [base, { type: 'LEAF', legality: 'LEGAL' }],
  ])
  expect(lab.host.vms.get(lab.vm('vm1').id)?.writesTo.get(id)).toBe(base)
  expect((await lab.admin('GET', `/jobs/${json.job.id}`)).json.status).toBe('finished')
  expect(lab.world.events.map(({ code }) => code)).toEqual([45, 68, 342, 356])
})

test('a merged snapshot is gone from lists and look-ups before its job is done', async () => {
  const lab = await anEngine()
  const path = await snapshotPath(lab, 'vm1')
  const { json } = await lab.admin('DELETE', path)
  await passes(900)
  expect((await lab.admin('GET', path)).status).toBe(404)
  expect((await lab.admin('GET', `/vms/${lab.vm('vm1').id}/snapshots`)).json.snapshot).toHaveLength(1)
  expect((await lab.admin('GET', `/jobs/${json.job.id}`)).json.status).toBe('started')
})

test('a snapshot under removal may vanish at once', async () => {
  const lab = await anEngine({ settings: { removedVanishes: 'at once' } })
  const path = await snapshotPath(lab, 'vm1')
  await lab.admin('DELETE', path)
  expect((await lab.admin('GET', path)).json.detail).toBe('Entity not found: null')
  expect((await diskOf(lab, 'vm1')).status).toBe('locked')
})

test('the job names the steps of a live merge', async () => {
  const lab = await anEngine()
  const { json } = await lab.admin('DELETE', await snapshotPath(lab, 'vm1'))
  await passes(10_000)
  const steps = (await lab.admin('GET', `/jobs/${json.job.id}/steps`)).json.step
  const names = steps.map((step: { description: string }) => step.description)
  expect(names).toEqual(expect.arrayContaining(['EXTEND', 'MERGE', 'MERGE_STATUS', 'DESTROY_IMAGE']))
})

test('a failed merge leaves the snapshot ok and the base illegal, and asking again heals it', async () => {
  const lab = await anEngine()
  const path = await snapshotPath(lab, 'vm1')
  lab.world.faults.arm({ at: 'merge', effect: 'fails', vm: 'vm1' })
  const { json } = await lab.admin('DELETE', path)
  await passes(10_000)
  expect((await lab.admin('GET', `/jobs/${json.job.id}`)).json.status).toBe('failed')
  expect((await lab.admin('GET', path)).json.snapshot_status).toBe('ok')
  expect((await lab.admin('GET', '/vms?search=has_illegal_images%3Dtrue')).json.vm[0].name).toBe('vm1')
  expect((await lab.admin('DELETE', path)).status).toBe(200)
  await passes(10_000)
  expect((await lab.admin('GET', path)).status).toBe(404)
  expect((await lab.admin('GET', `/vms/${lab.vm('vm1').id}`)).json.has_illegal_images).toBe('false')
})

test('a merge that always fails succeeds once its fault is cleared', async () => {
  const lab = await anEngine()
  const { image_id: base } = await diskOf(lab, 'vm1')
  const path = await snapshotPath(lab, 'vm1')
  const armed = await lab.steer('POST', '/faults', { at: 'merge', effect: 'fails', vm: 'vm1', times: 0 })
  for (let attempt = 0; attempt < 3; attempt++) {
    await lab.admin('DELETE', path)
    await passes(10_000)
    expect((await lab.admin('GET', path)).json.snapshot_status).toBe('ok')
  }
  await lab.steer('DELETE', `/faults/${armed.json.id}`)
  await lab.admin('DELETE', path)
  await passes(10_000)
  expect((await lab.admin('GET', path)).status).toBe(404)
  expect((await diskOf(lab, 'vm1')).image_id).toBe(base)
})

test('a merge that fails leaves every volume legal on the storage', async () => {
  const lab = await anEngine()
  const { id } = await diskOf(lab, 'vm1')
  const path = await snapshotPath(lab, 'vm1')
  lab.world.faults.arm({ at: 'merge', effect: 'fails' })
  await lab.admin('DELETE', path)
  await passes(10_000)
  const volumes = [...(lab.host.images.get(id)?.values() ?? [])]
  expect(volumes.map(({ type, legality }) => [type, legality])).toEqual([
    ['INTERNAL', 'LEGAL'],
    ['LEAF', 'LEGAL'],
  ])
})

test('a merge that fails late leaves its overlay illegal on the storage while the VM writes to the base', async () => {
  const lab = await anEngine()
  const { id, image_id: base } = await diskOf(lab, 'vm1')
  const path = await snapshotPath(lab, 'vm1')
  const overlay = (await diskOf(lab, 'vm1')).image_id
  lab.world.faults.arm({ at: 'merge', effect: 'fails late' })
  await lab.admin('DELETE', path)
  await passes(10_000)
  expect((await lab.admin('GET', path)).json.snapshot_status).toBe('ok')
  expect(lab.host.images.get(id)?.get(overlay)).toMatchObject({ type: 'LEAF', legality: 'ILLEGAL' })
  expect(lab.host.vms.get(lab.vm('vm1').id)?.writesTo.get(id)).toBe(base)
  await lab.admin('DELETE', path)
  await passes(10_000)
  expect([...(lab.host.images.get(id)?.keys() ?? [])]).toEqual([base])
})

test('when one of two disks fails, only that one is left in the snapshot', async () => {
  const lab = await anEngine()
  const path = await snapshotPath(lab, 'extra')
  lab.world.faults.arm({ at: 'merge', effect: 'fails', vm: 'extra', disk: 'extra_Disk2' })
  await lab.admin('DELETE', path)
  await passes(10_000)
  const left = (await lab.admin('GET', `${path}/disks`)).json.disk
  expect(left.map((disk: { alias: string }) => disk.alias)).toEqual(['extra_Disk2'])
  expect(lab.world.events.map(({ code }) => code)).toEqual(expect.arrayContaining([357, 359]))
})

test('a row that stays after its merge goes when asked again', async () => {
  const lab = await anEngine()
  const { image_id: base } = await diskOf(lab, 'vm1')
  const path = await snapshotPath(lab, 'vm1')
  lab.world.faults.arm({ at: 'merge', effect: 'row stays' })
  await lab.admin('DELETE', path)
  await passes(10_000)
  expect((await lab.admin('GET', path)).json.snapshot_status).toBe('ok')
  expect((await diskOf(lab, 'vm1')).image_id).toBe(base)
  await lab.admin('DELETE', path)
  await passes(10_000)
  expect((await lab.admin('GET', path)).status).toBe(404)
})

test('a merge that never ends holds its VM for ever', async () => {
  const lab = await anEngine()
  const path = await snapshotPath(lab, 'vm1')
  lab.world.faults.arm({ at: 'merge', effect: 'never ends' })
  const { json } = await lab.admin('DELETE', path)
  await passes(24 * 3600_000)
  expect(lab.vm('vm1').snapshots[0]?.status).toBe('locked')
  expect(lab.world.jobs.get(json.job.id)?.status).toBe('started')
  expect(lab.vm('vm1').lock).toBeDefined()
})

test('merging the older of two snapshots keeps the newer one intact', async () => {
  const lab = await anEngine()
  const { id, image_id: base } = await diskOf(lab, 'vm1')
  const older = await snapshotPath(lab, 'vm1')
  const newer = await snapshotPath(lab, 'vm1')
  const top = (await diskOf(lab, 'vm1')).image_id
  await lab.admin('DELETE', older)
  await passes(10_000)
  expect((await lab.admin('GET', `${newer}/disks`)).json.disk[0].image_id).toBe(base)
  expect(lab.host.images.get(id)?.get(top)).toMatchObject({ parent: base, type: 'LEAF' })
})

test('two snapshots merge newest first, each into the volume below', async () => {
  const lab = await anEngine()
  const { id, image_id: base } = await diskOf(lab, 'vm1')
  const older = await snapshotPath(lab, 'vm1')
  const middle = (await diskOf(lab, 'vm1')).image_id
  const newer = await snapshotPath(lab, 'vm1')
  await lab.admin('DELETE', newer)
  await passes(10_000)
  expect((await diskOf(lab, 'vm1')).image_id).toBe(middle)
  await lab.admin('DELETE', older)
  await passes(10_000)
  expect([...(lab.host.images.get(id)?.keys() ?? [])]).toEqual([base])
  expect(lab.host.images.get(id)?.get(base)?.type).toBe('LEAF')
})

test('a VM that is down merges cold, a migrating one not at all', async () => {
  const lab = await anEngine()
  const { image_id: base } = await diskOf(lab, 'idle')
  await lab.admin('DELETE', await snapshotPath(lab, 'idle'))
  await passes(10_000)
  expect((await diskOf(lab, 'idle')).image_id).toBe(base)
  const path = await snapshotPath(lab, 'vm1')
  lab.vm('vm1').status = 'migrating'
  const { status, json } = await lab.admin('DELETE', path)
  expect(status).toBe(409)
  expect(json.detail).toContain('must be in status Down, Up or Paused')
})

test('the active snapshot cannot be deleted', async () => {
  const lab = await anEngine()
  const { id, snapshots } = lab.vm('vm1')
  const { status } = await lab.admin('DELETE', `/vms/${id}/snapshots/${snapshots[0]?.id}`)
  expect(status).toBe(409)
})

test('an asynchronous removal hides its refusal behind a 202', async () => {
  const lab = await anEngine()
  const path = await snapshotPath(lab, 'vm1')
  lab.vm('vm1').status = 'migrating'
  expect((await lab.admin('DELETE', `${path}?async=true`)).status).toBe(202)
  await passes(10_000)
  expect((await lab.admin('GET', path)).json.snapshot_status).toBe('ok')
})
