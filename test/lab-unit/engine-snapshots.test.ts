import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, diskOf, type Lab, passes, takeSnapshot } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

const overlay = 'aaaaaaaa-1111-4222-8333-444444444444'

function order(lab: Lab, name: string, more: object = {}) {
  return lab.admin('POST', `/vms/${lab.vm(name).id}/snapshots?correlation_id=run-1`, {
    description: 'test',
    persist_memorystate: false,
    ...more,
  })
}

function attachments(...disks: object[]) {
  return { disk_attachments: { disk_attachment: disks.map((disk) => ({ disk })) } }
}

test('the overlay gets the id that was asked for', async () => {
  const lab = await anEngine()
  const { id } = await diskOf(lab, 'vm1')
  await takeSnapshot(lab, 'vm1', attachments({ id, image_id: overlay }))
  expect(lab.host.images.get(id)?.get(overlay)).toMatchObject({ format: 'cow', type: 'LEAF' })
  expect(lab.host.vms.get(lab.vm('vm1').id)?.writesTo.get(id)).toBe(overlay)
})

test('the database names the overlay before the VM writes to it', async () => {
  const lab = await anEngine()
  const { id, image_id: base } = await diskOf(lab, 'vm1')
  await order(lab, 'vm1', attachments({ id, image_id: overlay }))
  expect(await diskOf(lab, 'vm1')).toMatchObject({ image_id: overlay, status: 'locked' })
  expect(lab.host.vms.get(lab.vm('vm1').id)?.writesTo.get(id)).toBe(base)
})

test('the snapshot keeps the base, the volume list shows the chain', async () => {
  const lab = await anEngine()
  const { id, image_id: base } = await diskOf(lab, 'vm1')
  const snapshot = await takeSnapshot(lab, 'vm1', attachments({ id, image_id: overlay }))
  const kept = await lab.admin('GET', `/vms/${lab.vm('vm1').id}/snapshots/${snapshot.id}/disks`)
  expect(kept.json.disk[0]).toMatchObject({ id, image_id: base, format: 'raw' })
  const path = `/storagedomains/${lab.world.hostDomain}/disksnapshots`
  const rows = (await lab.admin('GET', `${path}?include_active=true`)).json.disk_snapshot
  const row = rows.find((each: { id: string }) => each.id === overlay)
  expect(row).toMatchObject({ disk: { id }, parent: { id: base }, status: 'ok', format: 'cow' })
  const inactive = (await lab.admin('GET', path)).json.disk_snapshot
  expect(inactive.map((each: { id: string }) => each.id)).toEqual([base])
})

test('the snapshot is locked first, then ok, and the VM stays busy a little longer', async () => {
  const lab = await anEngine()
  const { json } = await order(lab, 'vm1')
  expect(json.snapshot_status).toBe('locked')
  await passes(700)
  const path = `/vms/${lab.vm('vm1').id}/snapshots/${json.id}`
  expect((await lab.admin('GET', path)).json.snapshot_status).toBe('ok')
  const early = await lab.admin('DELETE', path)
  expect(early.status).toBe(409)
  await passes(600)
  expect((await lab.admin('DELETE', path)).status).toBe(200)
})

test('the snapshot takes over the id that the active one had', async () => {
  const lab = await anEngine()
  const before = lab.vm('vm1').snapshots[0]?.id
  const { id } = await takeSnapshot(lab, 'vm1')
  expect(id).toBe(before)
  const listed = (await lab.admin('GET', `/vms/${lab.vm('vm1').id}/snapshots`)).json.snapshot
  expect(listed.map((each: { snapshot_type: string }) => each.snapshot_type)).toEqual(['regular', 'active'])
  expect(listed[1].id).not.toBe(before)
})

test('a second snapshot meanwhile is 409 with the words clients look for', async () => {
  const lab = await anEngine()
  await order(lab, 'vm1')
  const { status, json } = await order(lab, 'vm1')
  expect(status).toBe(409)
  expect(json.detail).toBe('[Cannot create Snapshot. Snapshot is currently being created for VM vm1.]')
})

test('shareable disks and LUNs fall out without a word, unplugged ones get a volume but no switch', async () => {
  const lab = await anEngine()
  const snapshot = await takeSnapshot(lab, 'special')
  const path = `/vms/${lab.vm('special').id}/snapshots/${snapshot.id}`
  const disks = (await lab.admin('GET', `${path}/disks`)).json.disk
  const aliases = disks.map((each: { alias: string }) => each.alias)
  expect(aliases).toEqual(['special_Disk1', 'special_unplugged', 'special_foreign'])
  const removal = await lab.admin('DELETE', path)
  expect(removal.status).toBe(409)
  expect(removal.json.detail).toContain('unplugged or unattached')
})

test('naming a shareable disk is refused, as is a disk of another VM or one that does not exist', async () => {
  const lab = await anEngine()
  const shared = [...lab.world.disks.values()].find((disk) => disk.shareable)
  const foreign = (await diskOf(lab, 'vm2')).id
  for (const id of [shared?.id, foreign, overlay]) {
    expect((await order(lab, 'vm1', attachments({ id }))).status).toBe(400)
  }
})

test('an empty list of disks breaks the engine', async () => {
  const lab = await anEngine()
  expect((await order(lab, 'vm1', { disk_attachments: {} })).status).toBe(500)
  expect(lab.vm('vm1').snapshots).toHaveLength(1)
})

test('an id that a volume of the disk has already is 409', async () => {
  const lab = await anEngine()
  const { id, image_id: used } = await diskOf(lab, 'vm1')
  const { status, json } = await order(lab, 'vm1', attachments({ id, image_id: used }))
  expect(status).toBe(409)
  expect(json.detail).toContain(`Image IDs ${used} are already used`)
})

test('without a word about memory, memory is saved and the VM stands still meanwhile', async () => {
  const lab = await anEngine()
  await lab.admin('POST', `/vms/${lab.vm('vm1').id}/snapshots`, { description: 'with memory' })
  await passes(1000)
  expect(lab.vm('vm1').status).toBe('paused')
  await passes(5000)
  expect(lab.vm('vm1').status).toBe('up')
  const contents = [...lab.world.disks.values()].map((disk) => disk.contentType)
  expect(contents).toContain('memory_dump_volume')
})

test('the hosted engine, a migrating VM and a full domain are refused', async () => {
  const lab = await anEngine()
  expect((await order(lab, 'HostedEngine')).json.detail).toContain('not managed by the engine')
  lab.vm('vm1').status = 'migrating'
  expect((await order(lab, 'vm1')).status).toBe(409)
  lab.host.storage.freeBytes = 1024
  await lab.admin('GET', '/storagedomains')
  expect((await order(lab, 'vm2')).json.detail).toContain('Low disk space on Storage Domain vmstore')
})

test('a locked disk is 409, an illegal one 500', async () => {
  const lab = await anEngine()
  const disk = lab.world.disks.get((await diskOf(lab, 'vm1')).id)
  if (disk) disk.status = 'locked'
  expect((await order(lab, 'vm1')).status).toBe(409)
  if (disk) disk.status = 'illegal'
  expect((await order(lab, 'vm1')).status).toBe(500)
})

test('job and events carry the correlation id', async () => {
  const lab = await anEngine()
  await order(lab, 'vm1')
  await passes(5000)
  const jobs = (await lab.admin('GET', '/jobs?search=correlation_id%3Drun-1')).json.job
  expect(jobs).toHaveLength(1)
  expect(jobs[0]).toMatchObject({ status: 'finished', external: 'false' })
  const events = (await lab.admin('GET', '/events?search=correlation_id%3Drun-1')).json.event
  expect(events.map((each: { code: string }) => each.code)).toEqual(['68', '45'])
})

test('a failed snapshot leaves no trace but its event and its job', async () => {
  const lab = await anEngine()
  const before = {
    ids: lab.vm('vm1').snapshots.map(({ id }) => id),
    image: (await diskOf(lab, 'vm1')).image_id,
  }
  lab.world.faults.arm({ at: 'snapshot', effect: 'fails', vm: 'vm1' })
  await order(lab, 'vm1')
  await passes(5000)
  expect(lab.vm('vm1').snapshots.map(({ id }) => id)).toEqual(before.ids)
  expect(await diskOf(lab, 'vm1')).toMatchObject({ image_id: before.image, status: 'ok' })
  expect((await lab.admin('GET', '/jobs')).json.job[0].status).toBe('failed')
  expect(lab.world.events.map(({ code }) => code)).toContain(69)
})

test('a live part that failed although the overlay is in use keeps the snapshot, with events 170 and 10774', async () => {
  const lab = await anEngine()
  const { id } = await diskOf(lab, 'vm1')
  lab.world.faults.arm({ at: 'live', effect: 'fails in use' })
  const snapshot = await takeSnapshot(lab, 'vm1', attachments({ id, image_id: overlay }))
  expect(lab.vm('vm1').snapshots[0]).toMatchObject({ id: snapshot.id, status: 'ok' })
  expect(lab.host.vms.get(lab.vm('vm1').id)?.writesTo.get(id)).toBe(overlay)
  expect(lab.world.events.map(({ code }) => code)).toEqual(expect.arrayContaining([170, 10774]))
})

test('a live part that failed before the switch takes the overlays away again', async () => {
  const lab = await anEngine()
  const { id, image_id: base } = await diskOf(lab, 'vm1')
  lab.world.faults.arm({ at: 'live', effect: 'fails' })
  await order(lab, 'vm1')
  await passes(5000)
  expect([...(lab.host.images.get(id)?.keys() ?? [])]).toEqual([base])
  expect(lab.host.images.get(id)?.get(base)?.type).toBe('LEAF')
})

test('a VM that is down gets a cold snapshot', async () => {
  const lab = await anEngine()
  await takeSnapshot(lab, 'idle')
  expect(lab.vm('idle').snapshots.map(({ status }) => status)).toEqual(['ok', 'ok'])
})

test('a hanging guest agent holds the snapshot, a failing one is ignored', async () => {
  const lab = await anEngine()
  lab.world.faults.arm({ at: 'freeze', effect: 'hangs', ms: 60_000, vm: 'vm1' })
  lab.world.faults.arm({ at: 'freeze', effect: 'fails', vm: 'vm2' })
  await order(lab, 'vm1')
  await order(lab, 'vm2')
  await passes(30_000)
  expect(lab.vm('vm1').snapshots[0]?.status).toBe('locked')
  expect(lab.vm('vm2').snapshots[0]?.status).toBe('ok')
  await passes(60_000)
  expect(lab.vm('vm1').snapshots[0]?.status).toBe('ok')
})

test('an engine that freezes by itself tells, and fails when it may not be inconsistent', async () => {
  const lab = await anEngine({ settings: { freezeInEngine: true, allowInconsistent: false } })
  await takeSnapshot(lab, 'vm1')
  await order(lab, 'special')
  await passes(5000)
  const codes = lab.world.events.map(({ code }) => code)
  expect(codes).toEqual(expect.arrayContaining([10766, 10767, 68, 10764, 69]))
  expect(lab.vm('special').snapshots).toHaveLength(1)
})

test('an engine may answer 202 with a creation status, and 201 only when the client waits', async () => {
  const lab = await anEngine({ settings: { createAnswers: 202 } })
  const pending = await order(lab, 'vm1')
  expect([pending.status, pending.json.creation_status]).toEqual([202, 'pending'])
  const path = `/vms/${lab.vm('vm2').id}/snapshots`
  const waited = lab.admin(
    'POST',
    path,
    { description: 'x', persist_memorystate: 'false' },
    { expect: '201-created' },
  )
  await passes(5000)
  expect(await waited).toMatchObject({ status: 201, json: { snapshot_status: 'ok' } })
})
