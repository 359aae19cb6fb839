import type { Pair } from '../model/pair.ts'
import type { CommonOptions } from './common-args.ts'

/** What the command line asks for. */
export type Asked =
  | { kind: 'say'; text: string }
  | { kind: 'run'; dryRun: boolean; pair: Pair; options: CommonOptions }
  | {
      kind: 'recover'
      /** Without it: every pair for which the state directory owes something. */
      pair?: Pair
      dryRun: boolean
      /** Numbers of entries to be struck without being settled. */
      waive: number[]
      options: CommonOptions
    }
  /** Those that lie there, or those that runs have told of. */
  | { kind: 'points'; at: Place; json: boolean }
  | { kind: 'known points'; options: CommonOptions }
  | {
      kind: 'verify'
      at: Place
      /** Names of points, perhaps cut short; empty = the newest. */
      points: string[]
      /** False: everything but the disks' content. */
      content: boolean
      parallel: number
      bytesPerSecond?: number
      json: boolean
      quiet: boolean
    }
  | { kind: 'daemon'; options: CommonOptions }
  | { kind: 'run job'; job: string; options: CommonOptions }
  | { kind: 'status'; once: boolean; options: CommonOptions }
  | { kind: 'jobs'; options: CommonOptions }
  | { kind: 'job act'; act: 'pause' | 'resume' | 'cancel'; job: string; options: CommonOptions }
  | { kind: 'vms'; job?: string; options: CommonOptions }
  | { kind: 'protect'; vms: string[]; policy?: string; options: CommonOptions }
  | { kind: 'unprotect'; vms: string[]; options: CommonOptions }
  | { kind: 'runs'; job?: string; limit: number; options: CommonOptions }
  /** `run` may be cut short. */
  | { kind: 'report'; run: string; options: CommonOptions }
  | { kind: 'config check'; options: CommonOptions }
  /** Without a route: all of them. */
  | { kind: 'alert test'; route?: string; options: CommonOptions }
  | { kind: 'token'; act: TokenAct; options: CommonOptions }

export type AskedFor<K extends Asked['kind']> = Asked & { kind: K }

export type TokenAct =
  | { does: 'add'; name: string; right: 'read' | 'operate' }
  | { does: 'list' }
  | { does: 'remove'; name: string }

/** Where recovery points lie: a volume to be mounted, or a directory on which it is mounted already. */
export type Place = { host: string; volume: string } | { dir: string }
