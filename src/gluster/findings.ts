import { Failure } from '../model/errors.ts'
import type { Finding } from '../model/finding.ts'
import { bricksWithoutRow, isRunning, type ListedSession, sessionOf } from './status.ts'
import { isOn, isSharded, shardBytes, type VolumeInfo } from './volume-info.ts'

/** What was learnt by asking; an answer that could not be had is the failure of asking. */
export interface Facts {
  primaryVolume: string
  /** `[user@]host::volume`, as the command line wants it. */
  secondary: string
  /** Undefined when there is no such volume. */
  primary: VolumeInfo | undefined | Failure
  secondaryVolume: VolumeInfo | undefined | Failure
  /** All sessions of the primary volume. */
  sessions: readonly ListedSession[] | Failure
  session: ListedSession | undefined
  /** Undefined without a session. */
  syncMethod: string | undefined | Failure
  /** First line of `rsync --version` on the secondary; undefined when there is no way to ask. */
  secondaryRsync: string | undefined | Failure
  /** The version of the client that mounts volumes here. */
  client: string | Failure
  /** The version of the command that sets extended attributes here. */
  attributes: string | Failure
}

/** Judges what was learnt; empty when all is well. */
export function judge(facts: Facts): Finding[] {
  return [
    ...judgePrimary(facts),
    ...judgeSession(facts),
    ...judgeSecondary(facts),
    ...judgeSync(facts),
    ...(facts.client instanceof Failure ? [unasked('gluster client of this machine', facts.client)] : []),
    ...judgeAttributes(facts),
  ]
}

function judgePrimary({ primary, primaryVolume }: Facts): Finding[] {
  const subject = `primary volume ${primaryVolume}`
  if (primary instanceof Failure) return [unasked(subject, primary)]
  if (primary === undefined) {
    return [
      error(subject, 'it does not exist', 'look at `gluster volume list` on a node of the primary site'),
    ]
  }
  return [
    ...judgeVolume(primary, subject),
    ...judgeRollover(primary, subject),
    ...judgeContentRisks(primary, subject),
  ]
}

function judgeVolume(volume: VolumeInfo, subject: string): Finding[] {
  const found: Finding[] = []
  if (!volume.started) found.push(error(subject, 'it is not started', `gluster volume start ${volume.name}`))
  if (volume.dispersed) {
    found.push(
      error(
        subject,
        `it is of type ${volume.type}`,
        'use a replicated or distributed-replicated volume for VM images',
      ),
    )
  }
  return found
}

const rolloverDefault = 15

function judgeRollover(primary: VolumeInfo, subject: string): Finding[] {
  const seconds = Number(primary.options.get('changelog.rollover-time') ?? rolloverDefault)
  const hint = `gluster volume set ${primary.name} changelog.rollover-time 2`
  if (seconds < 2) {
    // Change logs then get the same time stamp, and a session that is started again cannot read its history (10.3).
    const what = `changelog.rollover-time is ${seconds}: the session becomes faulty for good when it is started again`
    return [error(subject, what, hint)]
  }
  if (seconds <= 5) return []
  const what = `changelog.rollover-time is ${seconds}: every run, and so the life of its snapshots, is up to that many seconds longer`
  return [warning(subject, what, hint)]
}

function judgeContentRisks(primary: VolumeInfo, subject: string): Finding[] {
  const found: Finding[] = []
  // With more threads, parallel first writes to a shard record a wrong gfid in the change log.
  if (
    isSharded(primary) &&
    !primary.replicated &&
    primary.options.get('performance.io-thread-count') !== '1'
  ) {
    const what =
      'it is sharded and not replicated: some shards may arrive empty although the checkpoint is reached (seen with 10.3)'
    const hint = `use replica 3, or gluster volume set ${primary.name} performance.io-thread-count 1, and let every run compare content`
    found.push(warning(subject, what, hint))
  }
  if (!isOn(primary, 'performance.stat-prefetch', true)) {
    const what = 'performance.stat-prefetch is off: geo-replication may read stale content'
    found.push(warning(subject, what, `gluster volume reset ${primary.name} performance.stat-prefetch`))
  }
  return found
}

function judgeSession(facts: Facts): Finding[] {
  const { session, sessions, primary, primaryVolume, secondary } = facts
  const subject = `geo-replication session ${primaryVolume} to ${secondary}`
  // Without the volume there is nothing more to say about its sessions.
  if (primary === undefined) return []
  if (sessions instanceof Failure) return [unasked(subject, sessions)]
  if (session === undefined) return [absentSession(facts, subject)]
  return [...judgeUser(session, secondary, subject), ...judgeRows(session, primary, subject)]
}

function absentSession({ primaryVolume, secondary, sessions }: Facts, subject: string): Finding {
  const others =
    sessions instanceof Failure ? [] : sessions.map(({ user, host, volume }) => `${user}@${host}::${volume}`)
  const what =
    others.length === 0 ? 'it does not exist' : `it does not exist; there are: ${others.join(', ')}`
  const create = `gluster volume geo-replication ${primaryVolume} ${secondary} create push-pem`
  return error(subject, what, `on a primary node: gluster system:: execute gsec_create, then ${create}`)
}

function judgeUser(session: ListedSession, secondary: string, subject: string): Finding[] {
  const user = secondary.includes('@') ? secondary.slice(0, secondary.indexOf('@')) : 'root'
  if (session.user === user) return []
  return [
    error(
      subject,
      `it runs as ${session.user}, not as ${user}`,
      `set the secondary's user to ${session.user}`,
    ),
  ]
}

function judgeRows(session: ListedSession, primary: VolumeInfo | Failure, subject: string): Finding[] {
  const found: Finding[] = []
  const missing = primary instanceof Failure ? [] : bricksWithoutRow(session.rows, primary.sets)
  if (missing.length > 0) {
    const names = missing.map(({ host, path }) => `${host}:${path}`).join(', ')
    const hint =
      'start glusterd on these hosts; after adding bricks create the session again with `create push-pem force`'
    found.push(error(subject, `it does not know of ${names}`, hint))
  }
  const { state } = sessionOf(session.rows)
  if (state === 'faulty') {
    const hint =
      'look again in a minute; if it stays so, see /var/log/glusterfs/geo-replication on the primary nodes'
    found.push(warning(subject, 'it is faulty now', hint))
  }
  if (state === 'paused') {
    found.push(
      warning(subject, 'it is paused: this run stops it, and it stays stopped', 'nothing, if that is meant'),
    )
  } else if (isRunning(session.rows)) {
    const what =
      'it is running, so the recovery point on the secondary is being overwritten: this run stops it, and it stays stopped'
    found.push(warning(subject, what, 'let nothing else start this session'))
  }
  return found
}

function judgeSecondary({ primary, secondary, secondaryVolume }: Facts): Finding[] {
  const subject = `secondary volume ${secondary}`
  if (secondaryVolume instanceof Failure) {
    const hint =
      'look whether that host is up, glusterd runs there and the primary nodes reach it (port 24007)'
    return [{ ...unasked(subject, secondaryVolume), hint }]
  }
  if (secondaryVolume === undefined) {
    return [error(subject, 'it does not exist', 'look at `gluster volume list` on the secondary host')]
  }
  const own = judgeVolume(secondaryVolume, subject)
  return primary === undefined || primary instanceof Failure
    ? own
    : [...own, ...judgeSharding(primary, secondaryVolume, subject)]
}

function judgeSharding(primary: VolumeInfo, secondary: VolumeInfo, subject: string): Finding[] {
  const [here, there] = [primary, secondary].map((volume) => isSharded(volume))
  const again =
    'sharding cannot be changed under existing files: make the secondary volume and the session anew'
  if (here !== there) {
    return [
      error(
        subject,
        `sharding is ${there ? 'on' : 'off'} here and ${here ? 'on' : 'off'} on the primary`,
        again,
      ),
    ]
  }
  if (!here || shardBytes(primary) === shardBytes(secondary)) return []
  const sizes = `${shardBytes(secondary)} bytes here and ${shardBytes(primary)} bytes on the primary`
  return [error(subject, `features.shard-block-size is ${sizes}`, again)]
}

function judgeSync({ syncMethod, secondaryRsync, secondary, primaryVolume }: Facts): Finding[] {
  const subject = `rsync on the secondary of ${secondary}`
  if (syncMethod === undefined || syncMethod === 'tarssh') return []
  if (syncMethod instanceof Failure) return [unasked(subject, syncMethod)]
  const tar = `gluster volume geo-replication ${primaryVolume} ${secondary} config sync-method tarssh`
  if (secondaryRsync === undefined) {
    const what = 'its version is not known: 3.5.0 and later copy nothing and report success'
    return [warning(subject, what, `configure a command that reaches the secondary, or: ${tar}`)]
  }
  if (secondaryRsync instanceof Failure) return [{ ...unasked(subject, secondaryRsync), severity: 'warning' }]
  const [, version, major, minor] = /version v?((\d{1,9})\.(\d{1,9})[\w.-]{0,40})/.exec(secondaryRsync) ?? []
  if (version === undefined)
    return [warning(subject, 'its version cannot be read', 'run rsync --version there')]
  const isDeaf = Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 5)
  if (!isDeaf) return []
  const what = `version ${version} copies nothing, and the checkpoint is reached all the same`
  return [error(subject, what, `install rsync 3.2.7 there, or: ${tar}`)]
}

function judgeAttributes({ attributes }: Facts): Finding[] {
  if (!(attributes instanceof Failure)) return []
  const what = `setfattr cannot be run: what Gluster lost on the way could not be sent again: ${attributes.message}`
  return [error('extended attributes', what, 'install the package attr on this machine')]
}

function error(subject: string, what: string, hint: string): Finding {
  return { severity: 'error', subject, what, hint }
}

function warning(subject: string, what: string, hint: string): Finding {
  return { severity: 'warning', subject, what, hint }
}

function unasked(subject: string, failure: Failure): Finding {
  return error(
    subject,
    `it could not be asked: ${failure.message}`,
    failure.hint ?? 'run the command by hand',
  )
}
