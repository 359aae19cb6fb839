export type JobStatus = 'started' | 'finished' | 'failed' | 'aborted' | 'unknown'

export interface Step {
  id: string
  type: string
  description: string
  status: JobStatus
  number: number
  started: Date
  ended: Date | undefined
  external: boolean
  parent: string | undefined
}

export interface Job {
  id: string
  description: string
  status: JobStatus
  started: Date
  ended: Date | undefined
  updated: Date
  external: boolean
  autoCleared: boolean
  owner: string
  correlationId: string
  steps: Map<string, Step>
}

export type Severity = 'normal' | 'warning' | 'error' | 'alert'

/** The objects an event is about, by id. */
export interface EventRefs {
  user?: string
  vm?: string
  storageDomain?: string
  host?: string
  template?: string
  cluster?: string
  dataCenter?: string
}

export interface Event extends EventRefs {
  index: number
  code: number
  severity: Severity
  description: string
  time: Date
  correlationId: string
  origin: string
  customId: number
  floodRate: number
  customData: string | undefined
}
