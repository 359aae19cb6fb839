import type { EngineEvent, Job } from '../model/hypervisor.ts'
import type { Http } from './http.ts'
import { eventsIn, type JobRow, jobState, jobsIn, progressIn } from './wire-job.ts'

const tagsPerSearch = 60
const newestEvents = 500

interface Track {
  /** As the story gave it. */
  tag: string
  /** As the engine knows it: that of the try it accepted. */
  correlationId: string
  /** What is known of the job; final once it is not running. */
  last?: Job
}

/** What became of the acts of this session: their jobs and events, by the tags the story gave them. */
export interface Tracks {
  /** Takes up the job of an act; `jobId` if the engine told it, else it is asked for. Never throws. */
  follow(tag: string, correlationId: string, jobId: string | undefined, signal: AbortSignal): Promise<void>
  /** At most one request. A job that the engine has cleared away unseen is missing. */
  jobs(tagPrefix: string, signal: AbortSignal): Promise<Job[]>
  /** The newest 500 events under a tag prefix: one request. */
  events(tagPrefix: string, signal: AbortSignal): Promise<EngineEvent[]>
}

/**
 * A job does not tell its correlation id (API model, types/Job.java), and a search for jobs knows no wildcard
 * (JobConditionFieldAutoCompleter: the field is no string), so the ids of our jobs are kept from the start.
 */
export function createTracks(http: Http): Tracks {
  const tracks = new Map<string, Track>()
  const tagsGiven = new Map<string, string>()

  function note(jobId: string, tag: string, correlationId: string): void {
    tracks.set(jobId, { tag, correlationId })
    tagsGiven.set(correlationId, tag)
  }

  function tell(row: JobRow): void {
    const track = tracks.get(row.id)
    if (track === undefined) return
    const progress = progressIn(row)
    track.last = {
      id: row.id,
      tag: track.tag,
      description: row.description,
      state: jobState(row.status),
      ...(progress === '' ? {} : { progress }),
    }
  }

  function tagGiven(correlationId: string): string {
    return tagsGiven.get(correlationId) ?? correlationId.replace(/-r\d+$/, '')
  }

  return {
    async follow(tag, correlationId, jobId, signal) {
      if (jobId !== undefined) {
        note(jobId, tag, correlationId)
        return
      }
      const search = searchFor([correlationId])
      try {
        for (const row of jobsIn(await http.get('/jobs', { search }, `find the job of ${tag}`, signal))) {
          note(row.id, tag, correlationId)
          tell(row)
        }
      } catch {
        // The act was accepted, which counts more; its outcome still shows in its thing and in the events.
      }
    },

    async jobs(tagPrefix, signal) {
      const ours = [...tracks.values()].filter(({ tag }) => tag.startsWith(tagPrefix))
      const open = ours.filter(({ last }) => last === undefined || last.state === 'running')
      if (open.length > 0) {
        // All jobs at once where their names would not fit into the line of one request.
        const query: Record<string, string> =
          open.length > tagsPerSearch
            ? {}
            : { search: searchFor(open.map((track) => track.correlationId)), follow: 'steps' }
        const rows = jobsIn(await http.get('/jobs', query, `look at the jobs of ${tagPrefix}`, signal))
        for (const track of open) delete track.last
        for (const row of rows) tell(row)
      }
      return ours.flatMap(({ last }) => last ?? [])
    },

    async events(tagPrefix, signal) {
      const query = { search: `correlation_id=${tagPrefix}*`, max: newestEvents }
      const found = eventsIn(await http.get('/events', query, `look at the events of ${tagPrefix}`, signal))
      return found
        .filter(({ tag }) => tag?.startsWith(tagPrefix) && !http.refusedTags.has(tag))
        .map((event) => ({ ...event, tag: tagGiven(event.tag ?? '') }))
    },
  }
}

function searchFor(correlationIds: readonly string[]): string {
  return [...new Set(correlationIds)].map((id) => `correlation_id=${id}`).join(' or ')
}
