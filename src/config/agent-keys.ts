import {
  cron,
  endpoint,
  mailAddress,
  mailAddresses,
  names,
  pairs,
  percent,
  timeZone,
  webAddress,
} from './agent-kinds.ts'
import { optional, preset, required, type Table } from './key.ts'
import { count, oneOf, path, secret, text, yesNo } from './kinds.ts'
import { duration } from './quantities.ts'
import { diskPatterns, selectors } from './selection-kinds.ts'
import { digestTime, rates, windows } from './week-kinds.ts'

/** Sections of which there may be many, each with a name of its own: `[job NAME]`. */
export const namedTable = {
  job: {
    pairs: required(
      'pairs',
      pairs,
      'What is replicated to where, as on the command line. With several pairs all snapshots are taken before the first replication ends, so that a VM with disks on several volumes is one instant everywhere.',
    ),
    schedule: optional(
      'schedule',
      cron,
      'When runs start. Empty: as often as rpo asks for, by how long runs really take.',
    ),
    timeZone: optional(
      'time_zone',
      timeZone,
      'Of schedule, blackout and bandwidth. Empty: that of the system.',
    ),
    rpoMs: optional(
      'rpo',
      duration('minutes', { from: '1m', to: '365d' }),
      "How old a VM's newest proved recovery point may become. A policy of the VM goes before it.",
    ),
    marginPercent: preset(
      'margin',
      percent(50),
      '10%',
      'How much of rpo is kept in hand where rpo decides when runs start.',
    ),
    select: preset('select', selectors, 'all', 'Which VMs of these volumes are protected.'),
    exclude: optional('exclude', selectors, 'Which of them are not.'),
    excludeDisks: optional(
      'exclude_disks',
      diskPatterns,
      'Disks that take no snapshot and are claimed by no recovery point.',
    ),
    blackout: optional('blackout', windows, 'When no run may start. One that is going on is not stopped.'),
    bandwidth: optional(
      'bandwidth',
      rates,
      'How much geo-replication of this job may send per second, all its workers together.',
    ),
    jitterMs: preset(
      'jitter',
      duration('seconds', { from: '0s', to: '1d' }),
      '0s',
      'A run starts up to so much later than planned, so that many agents do not start at once.',
    ),
    catchUp: preset(
      'catch_up',
      yesNo,
      'yes',
      'Whether a run that was missed (agent down, host asleep) is made at once, one for all that were missed.',
    ),
    retryMs: preset(
      'retry',
      duration('minutes', { from: '0s', to: '7d' }),
      '15m',
      'How long after a run that protected nobody the next one is tried, whatever the schedule. 0 = not before the schedule says so.',
    ),
    enabled: preset('enabled', yesNo, 'yes', 'no = this job starts by hand only.'),
    verify: optional('verify', oneOf('quick', 'full', 'off'), 'Instead of [verify] mode.'),
    fullEveryMs: optional(
      'full_every',
      duration('days', { from: '1h', to: '365d' }),
      'Instead of [verify] full_every.',
    ),
    timeoutMs: optional(
      'timeout',
      duration('minutes', { from: '10s', to: '7d' }),
      'Instead of [replication] timeout.',
    ),
    notify: optional('notify', names, 'The routes that are told of this job. Empty: all of them.'),
  },
  policy: {
    rpoMs: required(
      'rpo',
      duration('minutes', { from: '1m', to: '365d' }),
      'How old the newest proved recovery point of a VM with this policy may become.',
    ),
    tag: optional(
      'tag',
      text,
      'The tag in the engine by which a VM has this policy. Empty: vmbackup- and the name of the policy.',
    ),
  },
  route: {
    severity: preset(
      'severity',
      oneOf('normal', 'warning', 'alert', 'none'),
      'warning',
      'The least that is sent at once. normal = good news, too; none = digests only.',
    ),
    mail: optional('mail', mailAddresses, 'Who gets it by mail; needs [mail].'),
    webhook: optional('webhook', webAddress, 'Where it is posted as JSON.'),
    webhookSecret: optional(
      'webhook_secret',
      secret,
      'Signs what is posted (HMAC-SHA256), in plain text: prefer webhook_secret_file.',
    ),
    webhookSecretFile: optional('webhook_secret_file', path, 'A file that holds nothing but that secret.'),
    engine: preset('engine', yesNo, 'no', 'Whether it is posted as an event of the engine.'),
    digest: optional('digest', digestTime, 'When a summary of all jobs is sent. Empty: never.'),
    timeZone: optional('time_zone', timeZone, 'Of digest. Empty: that of the system.'),
  },
} satisfies Table

/** The sections of the agent that there is one of. */
export const agentTable = {
  daemon: {
    runsAtOnce: preset(
      'runs_at_once',
      count(1, 16),
      '1',
      'How many runs may go on at the same time. Runs of volumes that share a VM must not overlap.',
    ),
    inventoryMs: preset(
      'inventory_every',
      duration('minutes', { from: '10s', to: '1d' }),
      '5m',
      'How often the engine is asked which VMs there are and how they are to be protected.',
    ),
    rpoWarningPercent: preset(
      'rpo_warning',
      percent(90),
      '20%',
      'With so much of its RPO left and no run that would end in time, a VM is warned of.',
    ),
    foldAbove: preset(
      'fold_above',
      count(1, 1000),
      '5',
      'More messages than that for one receiver within ten minutes are folded into one.',
    ),
    historyMs: preset(
      'history',
      duration('days', { from: '1d', to: '3650d' }),
      '400d',
      'How long reports of runs are kept.',
    ),
    pingUrl: optional(
      'ping_url',
      webAddress,
      'Asked for every ping_every as long as the agent is alive: who watches it notices when it is not.',
    ),
    pingMs: preset('ping_every', duration('minutes', { from: '1s', to: '1d' }), '5m', 'See ping_url.'),
  },
  mail: {
    server: optional('server', endpoint('mail.example.com:587'), 'The SMTP server. Empty: no mail is sent.'),
    tls: preset(
      'tls',
      oneOf('starttls', 'tls', 'none'),
      'starttls',
      'starttls = encrypted after the greeting (587, 25), or not sent at all; tls = from the start (465); none = in plain text.',
    ),
    caFile: optional('ca_file', path, "Certificates (PEM) that may vouch for it. Empty: the system's own."),
    from: optional('from', mailAddress, 'The sender.'),
    userName: optional('user_name', text, 'The user to sign on as. Empty: none.'),
    password: optional('password', secret, "That user's password, in plain text: prefer password_file."),
    passwordFile: optional('password_file', path, 'A file that holds nothing but the password.'),
  },
  api: {
    socket: preset(
      'socket',
      path,
      '/run/vmbackup/api.sock',
      'A unix socket for this machine. Whoever may open it may do everything: its owner only.',
    ),
    listen: optional(
      'listen',
      endpoint('127.0.0.1:9736'),
      'An address for HTTP with tokens (vmbackup token). Other than loopback needs cert_file and key_file. Empty: the socket only.',
    ),
    certFile: optional(
      'cert_file',
      path,
      'The certificate (PEM) of that address, with those between it and its root.',
    ),
    keyFile: optional('key_file', path, 'Its key (PEM).'),
    openMetrics: preset('open_metrics', yesNo, 'no', 'yes = /metrics asks for no token.'),
  },
} satisfies Table
