import axios, { type AxiosInstance } from 'axios'
import { z } from 'zod'
import type { AgentActs, AgentEvent, AgentView } from '../agent/agent.ts'
import { JobView, PointView, RunSummary, StatusView } from '../agent/view.ts'
import { Failure, Unknown } from '../model/errors.ts'
import { eventsIn } from './event-stream.ts'
import { failureOf } from './faults.ts'
import { ErrorView, HealthView, mostRuns, reportIn, StartView, VmList } from './shapes.ts'

type Asked = Omit<AgentView, 'watch'> & AgentActs

/**
 * An agent that runs in another process, by its socket: what it says and does is what `Agent` promises, with the same errors. Failure
 * when it is gone, or does not answer within a minute.
 */
export type AgentClient = {
  [K in keyof Asked]: (...args: Parameters<Asked[K]>) => Promise<Awaited<ReturnType<Asked[K]>>>
} & {
  /** What happens from now on, of one job or of all; the first one is always `changed`. Ends with the signal, or when the agent does. */
  events(signal: AbortSignal, job?: string): AsyncIterable<AgentEvent>
}

/** The agent that listens on a socket; undefined when none does. Throws Failure when it may not be asked, or is something else. */
export async function findAgent(socketPath: string): Promise<AgentClient | undefined> {
  const http = httpOver(socketPath)
  try {
    // An agent that hangs is one, too.
    await ask(
      http,
      { url: '/health' },
      HealthView.or(ErrorView),
      (status) => status === 200 || status === 503,
    )
    return openClient(socketPath)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    throw error
  }
}

/** Asks nothing yet. */
export function openClient(socketPath: string): AgentClient {
  const http = httpOver(socketPath)
  const get = <S extends z.ZodType>(url: string, shape: S, params: object = {}) =>
    ask(http, { url, params }, shape)
  const post = <S extends z.ZodType>(url: string, shape: S, data?: object, signal?: AbortSignal) =>
    // Tags in the engine take their time; the agent ends it where it takes too long.
    ask(http, { method: 'POST', url, ...(data && { data }), ...(signal && { signal, timeout: 0 }) }, shape)
  const act = async (job: string, what: string) => {
    await post(`/jobs/${part(job)}/${what}`, JobView)
  }
  return {
    status: () => get('/status', StatusView),
    jobs: () => get('/jobs', z.array(JobView)),
    vms: () => get('/vms', VmList),
    runs: ({ job, limit }) => get('/runs', z.array(RunSummary), { job, limit: Math.min(limit, mostRuns) }),
    report: async (run) => {
      try {
        return reportIn(await get(`/runs/${part(run)}`, z.unknown()))
      } catch (error) {
        if (error instanceof Unknown) return undefined
        throw error
      }
    },
    points: () => get('/points', z.array(PointView)),
    start: async (job) => (await post(`/jobs/${part(job)}/start`, StartView)).state,
    cancel: (job) => act(job, 'cancel'),
    pause: (job) => act(job, 'pause'),
    resume: (job) => act(job, 'resume'),
    protect: (vms, policy, signal) => post('/vms/protect', VmList, { vms, policy }, signal),
    unprotect: (vms, signal) => post('/vms/unprotect', VmList, { vms }, signal),
    events: (signal, job) => eventsIn(() => open(http, { url: '/events', params: { job } }, signal), signal),
  }
}

interface Request {
  method?: 'POST'
  url: string
  params?: object
  data?: object
  timeout?: number
  signal?: AbortSignal
}

async function ask<S extends z.ZodType>(
  http: AxiosInstance,
  request: Request,
  shape: S,
  isGood = (status: number) => status < 300,
): Promise<z.infer<S>> {
  const { status, data } = await send(http, request)
  if (!isGood(status)) throw refusal(status, data)
  const answer = shape.safeParse(data)
  if (answer.success) return answer.data
  throw new Failure(`what the agent answered to ${request.url} cannot be read`, {
    cause: answer.error,
    hint: 'is it of the same version? restart it after an update',
  })
}

/** Throws an error of the same class as the agent's when it refuses. */
async function open(
  http: AxiosInstance,
  request: Request,
  signal: AbortSignal,
): Promise<AsyncIterable<string>> {
  const { status, data } = await send(http, { ...request, signal, timeout: 0 }, 'stream')
  const stream = data as NodeJS.ReadableStream
  stream.setEncoding('utf8')
  const text = stream as unknown as AsyncIterable<string>
  if (status === 200) return text
  let body = ''
  for await (const piece of text) body += piece
  throw refusal(status, body)
}

async function send(http: AxiosInstance, request: Request, responseType: 'json' | 'stream' = 'json') {
  try {
    return await http.request<unknown>({ ...request, responseType })
  } catch (cause) {
    if (request.signal?.aborted) throw request.signal.reason
    throw new Failure('the agent does not answer', { cause, hint: hintFor(codeOf(cause)) })
  }
}

function refusal(status: number, data: unknown): Failure {
  const body = ErrorView.safeParse(typeof data === 'string' ? jsonIn(data) : data)
  if (body.success) return failureOf(status, body.data)
  return new Failure(`what answers on the socket is no agent: HTTP status ${status}`, {
    hint: '[api] socket must be that of the agent',
  })
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function hintFor(code: string | undefined): string {
  if (code === 'EACCES') return 'run this as the user that the agent runs as'
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'start the agent: vmbackup daemon'
  return 'its log says what it does; vmbackup status shows whether it is there'
}

/** The code of the system's error, however deep it lies. */
function codeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return cause.code
  }
  return undefined
}

function httpOver(socketPath: string): AxiosInstance {
  return axios.create({
    socketPath,
    baseURL: 'http://localhost/api/v1',
    proxy: false,
    maxRedirects: 0,
    timeout: 60_000,
    maxContentLength: 256 * 2 ** 20,
    validateStatus: () => true,
  })
}

/** A name as a part of an address. */
function part(name: string): string {
  return encodeURIComponent(name.toWellFormed())
}
