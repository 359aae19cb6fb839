import { agentTable, namedTable } from './agent-keys.ts'
import type { Key } from './key.ts'
import { optional, preset, required, type Table, type ValuesOf } from './key.ts'
import type { Kind } from './kind.ts'
import { count, ignored, oneOf, origin, path, secret, serverAddress, text, yesNo } from './kinds.ts'
import { duration, room, size } from './quantities.ts'
import { secretWords, words } from './words.ts'

/** Every key there is, by section and by the name it has in Config. */
const table = {
  connection: {
    server: required('server', serverAddress, "The engine's API. Only https."),
    userName: required('user_name', text, 'The user to sign on as, with its profile: admin@internal.'),
    password: optional(
      'password',
      secret,
      "That user's password, in plain text: prefer one of the other ways.",
    ),
    passwordFile: optional('password_file', path, 'A file that holds nothing but the password.'),
    passwordCommand: optional(
      'password_command',
      secretWords,
      'A program that prints the password. It runs without a shell and has 30 seconds.',
    ),
    caFile: optional(
      'ca_file',
      path,
      "Certificates (PEM) that may vouch for the engine. Empty: the system's own. The engine gives its certificate at https://HOST/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA",
    ),
    verifyTls: preset(
      'verify_tls',
      yesNo,
      'yes',
      'no = talk to whoever answers as the engine. For tests only.',
    ),
    requestTimeoutMs: preset(
      'request_timeout',
      duration('seconds', { from: '1s', to: '1h' }),
      '60s',
      'How long one request to the engine may take.',
    ),
    restartMs: preset(
      'restart_timeout',
      duration('seconds', { from: '0s', to: '1d' }),
      '5m',
      'How long questions are repeated while the engine restarts.',
    ),
    busyMs: preset(
      'busy_timeout',
      duration('seconds', { from: '0s', to: '1h' }),
      '60s',
      'How long an act is repeated while the engine says that the VM is busy (409).',
    ),
  },
  logging: {
    loggerConf: optional(
      'logger_conf',
      ignored,
      "The original tool's logging file: accepted so that old files load, but without effect. Use file and level.",
    ),
    file: optional(
      'file',
      path,
      'The log file, JSON lines. Empty: no log; --verbose shows the same on standard error.',
    ),
    level: preset(
      'level',
      oneOf('error', 'warn', 'info', 'debug', 'trace'),
      'info',
      'The least that is logged.',
    ),
  },
  snapshot: {
    waitTimeoutMs: preset(
      'wait_timeout',
      duration('minutes', { from: '10s', to: '1d', zero: 'longest' }),
      '10m',
      "How long the snapshot of one VM may take. A bare number means minutes as in the original tool's file.",
    ),
    freeze: preset(
      'freeze',
      oneOf('try', 'require', 'no'),
      'try',
      'Whether guests freeze their file systems for their snapshot: try = where an agent answers; require = a VM whose guest was not frozen fails; no = not asked for.',
    ),
    freezeTimeoutMs: preset(
      'freeze_timeout',
      duration('seconds', { from: '1s', to: '10m' }),
      '10s',
      'How long a guest may stand still for its snapshot; then it is thawed and its copy counts as crash-consistent.',
    ),
    mergeTimeoutMs: preset(
      'merge_timeout',
      duration('minutes', { from: '1m', to: '7d' }),
      '2h',
      'How long the live merge of one VM may take before the run stops waiting for it.',
    ),
    parallel: preset('parallel', count(1, 32), '4', 'How many VMs are snapshotted at the same time.'),
    mergeParallel: preset(
      'merge_parallel',
      count(1, 32),
      '4',
      'How many VMs are merged at the same time. Merging loads the storage that guests use.',
    ),
    mergePerHost: preset('merge_per_host', count(1, 32), '2', 'How many of these may run on one host.'),
    mergeStallMs: preset(
      'merge_stall',
      duration('minutes', { from: '10s', to: '7d' }),
      '30m',
      'A merge of which nothing moves for so long, as far as the engine tells, counts as stuck: its VM is named and the run goes on.',
    ),
    minFree: preset(
      'min_free',
      room(),
      '5%',
      'With less free space on the primary volume no run starts, and one that is going on gives up, merges its snapshots and says so: overlays must not fill the volume. 0 = never.',
    ),
    storageDomain: optional(
      'storage_domain',
      text,
      'The name of the storage domain on the primary volume. Empty: found by the volume.',
    ),
  },
  replication: {
    timeoutMs: preset(
      'timeout',
      duration('minutes', { from: '10s', to: '7d', zero: 'longest' }),
      '60m',
      'How long geo-replication may take to reach the checkpoint. --timeout MINUTES overrides it.',
    ),
    intervalMs: preset(
      'interval',
      duration('seconds', { from: '100ms', to: '10m' }),
      '1s',
      'The pause between two looks at geo-replication; the longest one between two looks at snapshots and merges, which are looked at more often while they are short. --interval SECONDS overrides it.',
    ),
    stallMs: preset(
      'stall',
      duration('seconds', { from: '5s', to: '1d' }),
      '30s',
      'A checkpoint without progress for so long is answered by a stop and start of the session; twenty times as long while it works through a backlog.',
    ),
  },
  gluster: {
    command: optional(
      'command',
      words,
      'What to put before every gluster command, to run it on a node of the primary: ssh root@gp1. Empty: it runs here.',
    ),
    secondaryCommand: optional(
      'secondary_command',
      words,
      'Likewise for a node of the secondary. Empty: no commands are run there.',
    ),
  },
  verify: {
    mode: preset(
      'mode',
      oneOf('quick', 'full', 'off'),
      'quick',
      'How the copy is compared with the frozen disks: quick = sizes, pieces, descriptions and samples of every image; full = every byte; off = not at all. --verify MODE overrides it.',
    ),
    fullEveryMs: optional(
      'full_every',
      duration('days', { from: '1h', to: '365d' }),
      'A quick comparison is made a full one when the last full one is so long ago. Empty: never.',
    ),
    sampleBytes: preset(
      'samples',
      size({ from: '64K', to: '1T' }),
      '8M',
      'How much of every image quick reads, in blocks spread over it, at both ends.',
    ),
    parallel: preset('parallel', count(1, 32), '4', 'How many images are compared at the same time.'),
    rateBytes: optional(
      'rate',
      size({ from: '1M', to: '1T' }),
      'How much the comparison may read per second at each end, so that guests do not feel it. Empty: as fast as it goes.',
    ),
    healTurns: preset(
      'heal',
      count(0, 10),
      '2',
      'How often what differs is sent again before its VM counts as failed.',
    ),
  },
  state: {
    dir: preset(
      'dir',
      path,
      '/var/lib/vmbackup',
      'The folder for the ledger and the history. Readable by its owner only.',
    ),
    settleMs: preset(
      'settle_timeout',
      duration('minutes', { from: '10s', to: '7d' }),
      '60m',
      'How long a run that has ended, or is told to end, may take to put everything right. The next start settles what is left.',
    ),
    leaseMs: preset(
      'lease',
      duration('seconds', { from: '5s', to: '1h' }),
      '60s',
      'Where machines share the folder: how long another one waits after this one was last seen alive.',
    ),
  },
  event: {
    origin: preset('origin', origin, 'vmbackup', "Who our events come from in the engine's event log."),
  },
  ...agentTable,
} satisfies Table

type Values = { readonly [S in keyof typeof table]: ValuesOf<(typeof table)[S]> }

/** A section with a name of its own. */
type Named<S extends keyof typeof namedTable> = ValuesOf<(typeof namedTable)[S]> & {
  readonly name: string
}

/** What is protected together, from where to where, and when. */
export type JobConfig = Named<'job'>
/** How well VMs that carry its tag are to be protected. */
export type PolicyConfig = Named<'policy'>
/** Who is told of what. */
export type RouteConfig = Named<'route'>

/** All that can be set, checked; every length of time in milliseconds, every amount in bytes, every path absolute. */
export type Config = Values & {
  readonly jobs: readonly JobConfig[]
  readonly policies: readonly PolicyConfig[]
  readonly routes: readonly RouteConfig[]
  /** The file it was read from, as it was named. */
  readonly file: string
  /** What the operator should be told although it stops nothing. */
  readonly warnings: readonly string[]
}

/** A key as the documentation needs it. */
export interface DocumentedKey {
  section: string
  /** True where there may be many such sections: `[section NAME]`. */
  named: boolean
  /** Its name in Config. */
  field: string
  key: string
  kind: Kind<unknown>
  /** The text that would set it to what it is when left out. */
  default: string | undefined
  required: boolean
  doc: string
}

/** Every key in the order of the example file. */
export const configKeys: readonly DocumentedKey[] = [...rowsOf(table, false), ...rowsOf(namedTable, true)]

function rowsOf(sections: Table, named: boolean): DocumentedKey[] {
  return Object.entries(sections).flatMap(([section, fields]) =>
    Object.entries(fields as unknown as Record<string, Key<unknown>>).map(([field, key]) => ({
      section,
      named,
      field,
      ...key,
    })),
  )
}
