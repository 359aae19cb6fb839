import { EngineError, saidNo } from '../model/errors.ts'
import type { Hypervisor } from '../model/hypervisor.ts'
import { announce } from './announce.ts'
import { findingsOf, productOf } from './health.ts'
import { createHttp, type HttpOptions } from './http.ts'
import { domainsOf, vmsByIds, vmsNamed, vmsOn } from './inventory.ts'
import type { Act } from './request.ts'
import { createTags } from './tags.ts'
import { createTasksPane } from './tasks-pane.ts'
import { createTracks } from './tracks.ts'
import { vdsmFormat } from './vdsm-domain.ts'
import { vdsmLayout } from './vdsm-layout.ts'
import { createdId, eventsIn, startedJob } from './wire-job.ts'
import { clustersIn } from './wire-tag.ts'

/** An engine with 10,000 VMs logs some thousand events an hour, and two more for each snapshot that a run takes. */
const mostEvents = 50_000

/** How to reach an engine; times have defaults. */
export interface EngineConfig extends HttpOptions {
  /** Who our events come from, default `vmbackup`; not `oVirt`, which the engine keeps for itself. */
  origin?: string | undefined
}

/** The oVirt engine (4.3 to 4.5) over its REST API. Connects at the first question. Throws UsageError on a bad address. */
export function createEngine(config: EngineConfig): Hypervisor {
  const http = createHttp(config)
  const tracks = createTracks(http)

  /** Does a tagged act and takes up its job. */
  async function start(act: Act & { tag: string }, signal: AbortSignal): Promise<unknown> {
    const { body, tag } = await http.act(act, signal).catch(async (error: unknown) => {
      // It may have been accepted: its job tells.
      if (!signal.aborted && !saidNo(error)) await tracks.follow(act.tag, act.tag, undefined, signal)
      throw error
    })
    await tracks.follow(act.tag, tag ?? act.tag, startedJob(body), signal)
    return body
  }

  return {
    layout: vdsmLayout,
    format: vdsmFormat,

    async about(signal) {
      const product = await productOf(http, signal)
      return `${product.name} ${product.version}`
    },

    findings: (signal) => findingsOf(http, config.verifyTls, signal),
    domains: (signal) => domainsOf(http, signal),
    vms: (domain, signal) => vmsOn(http, domain, signal),

    async observe(vms, tagPrefix, signal) {
      const [found, jobs, events] = await Promise.all([
        vmsByIds(http, vms, signal),
        tracks.jobs(tagPrefix, signal),
        tracks.events(tagPrefix, signal),
      ])
      return { vms: found, jobs, events }
    },

    findVms: (namesOrIds, signal) => vmsNamed(http, namesOrIds, signal),

    async clusters(signal) {
      return clustersIn(await http.get('/clusters', {}, 'list the clusters', signal))
    },

    ...createTags(http),

    async isGone({ id, name }, signal) {
      try {
        await http.get(vmPath(id), {}, `look whether VM ${name} is still there`, signal)
        return false
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) return true
        throw error
      }
    },

    async latestEvent(signal) {
      const body = await http.get('/events', { max: 1 }, 'look at the newest event', signal)
      return Math.max(0, ...eventsIn(body).map(({ id }) => id))
    },

    async eventsAfter(id, signal) {
      const query = { from: id, max: mostEvents }
      const found = eventsIn(await http.get('/events', query, `look at the events after ${id}`, signal))
      return found
        .filter((event) => event.id > id && event.meaning !== undefined && event.vmId !== undefined)
        .toSorted((a, b) => a.id - b.id)
    },

    async freeze(vm, signal) {
      const doing = `freeze the file systems of VM ${vm.name}`
      await http.act({ method: 'POST', path: `${vmPath(vm.id)}/freezefilesystems`, doing }, signal)
    },

    async thaw(vm, signal) {
      const doing = `thaw the file systems of VM ${vm.name}`
      const path = `${vmPath(vm.id)}/thawfilesystems`
      try {
        await http.act({ method: 'POST', path, doing, repeatable: true }, signal)
      } catch (error) {
        if (!(error instanceof EngineError) || !isNotRunning(error)) throw error
      }
    },

    async updateOvfStore(domain, tag, signal) {
      const doing = `update the OVF_STORE of storage domain ${domain.name}`
      const path = `/storagedomains/${encodeURIComponent(domain.id)}/updateovfstore`
      await start({ method: 'POST', path, tag, doing }, signal)
    },

    async takeSnapshot(vm, { description, overlays }, tag, signal) {
      const doing = `take a snapshot of VM ${vm.name}`
      if (overlays.length === 0) throw new EngineError(`could not ${doing}: it names no disks`)
      const disks = overlays.map(({ image, overlay }) => ({ disk: { id: image, image_id: overlay } }))
      const body = {
        description,
        // Left out it counts as true, and the guest would be paused for its memory (SnapshotsService).
        persist_memorystate: 'false',
        disk_attachments: { disk_attachment: disks },
      }
      const answer = await start({ method: 'POST', path: snapshotsOf(vm.id), body, tag, doing }, signal)
      return createdId(answer, `new snapshot of VM ${vm.name}`)
    },

    async removeSnapshot(vm, snapshotId, tag, signal) {
      const doing = `remove a snapshot of VM ${vm.name}`
      const path = `${snapshotsOf(vm.id)}/${encodeURIComponent(snapshotId)}`
      try {
        await start({ method: 'DELETE', path, tag, doing }, signal)
      } catch (error) {
        if (!isGone(error)) throw error
      }
    },

    announce: (announcement, number, signal) =>
      announce(http, config.origin ?? 'vmbackup', announcement, number, signal),
    ...createTasksPane(http),
    close: () => http.close(),
  }
}

function vmPath(vmId: string): string {
  return `/vms/${encodeURIComponent(vmId)}`
}

function snapshotsOf(vmId: string): string {
  return `${vmPath(vmId)}/snapshots`
}

// A guest that does not run is not frozen.
function isNotRunning({ status, message }: EngineError): boolean {
  return (
    status === 404 || ((status === 409 || status === 400) && /not running|not found|not up/i.test(message))
  )
}

// 404 at the look-up; 400 where the snapshot goes between that and the command (RemoveSnapshotCommand.validate).
function isGone(error: unknown): boolean {
  if (!(error instanceof EngineError)) return false
  return error.status === 404 || (error.status === 400 && /snapshot does not exist/i.test(error.message))
}
