import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { answerIn, failureIn } from '../../src/gluster/cli.ts'
import { type Facts, judge } from '../../src/gluster/findings.ts'
import { complaintIn, mountPointsIn } from '../../src/gluster/mount.ts'
import {
  type BrickRow,
  bricksWithoutRow,
  checkpointIn,
  listedSessions,
  progressOf,
  sessionOf,
} from '../../src/gluster/status.ts'
import { shardBytes, type VolumeInfo, volumeInfoOf } from '../../src/gluster/volume-info.ts'
import { gfidIn, listedIn, numberIn } from '../../src/gluster/xattrs.ts'
import { parseAnswer } from '../../src/gluster/xml.ts'
import { CommandFailed } from '../../src/model/errors.ts'
import { likeText } from './hostile.ts'
import { checkAmount, checkLine, checkUuid, type Parser, parser } from './parser.ts'

const folder = new URL('../support/samples/gluster/', import.meta.url)
const samples = new Map(
  readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
)

function samplesOf(word: RegExp): string[] {
  return [...samples].filter(([name]) => word.test(name)).map(([, text]) => text)
}

const deep = `<cliOutput><opRet>0</opRet>${'<a>'.repeat(3000)}${'</a>'.repeat(3000)}</cliOutput>`
const entities = `<!DOCTYPE a [<!ENTITY b "${'c'.repeat(9000)}">]><cliOutput><opRet>0</opRet><opErrstr>${'&b;'.repeat(900)}</opErrstr></cliOutput>`
const statuses = samplesOf(/^(status|replica3|mountbroker)/)
const volumes = samplesOf(/^volume-info/)
const volumeNames = ['data', 'data-dr', 'rep']

const argv = ['gluster', '--mode=script', 'volume', 'info', 'data', '--xml']
const ended = (stdout: string, stderr = '') => ({ argv, exitCode: 0, stdout, stderr })

function volumeIn(text: string): VolumeInfo | undefined {
  const root = answerIn(ended(text))
  return volumeNames.map((name) => volumeInfoOf(root, name)).find((found) => found !== undefined)
}

const [known] = volumes.filter((text) => text.includes('<brick')).map(volumeIn)

const facts: Facts = {
  primaryVolume: 'data',
  secondary: 'gs1::data-dr',
  primary: known,
  secondaryVolume: known,
  sessions: [],
  session: undefined,
  syncMethod: 'rsync',
  secondaryRsync: undefined,
  client: 'glusterfs 10.3',
  attributes: 'setfattr 2.4.48',
}

function checkFindings(some: Partial<Facts>): void {
  for (const { subject, what, hint } of judge({ ...facts, ...some }))
    for (const line of [subject, what, hint]) checkLine(line)
}

function checkRows(rows: readonly BrickRow[]): void {
  for (const { pending, checkpointAt = 0 } of rows)
    for (const amount of [pending, checkpointAt]) checkAmount(amount)
  for (const { name, state } of sessionOf(rows).bricks)
    for (const line of [name, state]) checkLine(line || '-')
  const bricks = known?.sets ?? []
  const progress = progressOf(rows, bricks, { at: 5 })
  if (progress.state === 'reached') assert.deepEqual(bricksWithoutRow(rows, bricks), [])
  else checkLine(progress.detail)
}

const getfattr = `# file: /mnt/x/0b6a/images/1/2
glusterfs.gfid.string="252c16d6-51e4-48e8-82b4-b75174dba48c"

# file: /mnt/x/0b6a/images/1/3
trusted.glusterfs.shard.block-size=0x0000000004000000
trusted.glusterfs.shard.file-size=0x00000000400000000000000000000000000000000020000000000000000000
`
const clientLog = `[2026-11-21 01:00:00.000000 +0000] W [MSGID: 101012] [socket.c:720:__socket_rwv] 0-glusterfs: readv failed
[2026-11-21 01:00:01.000000 +0000] E [MSGID: 114058] [client.c:1:x] 0-data-client-0: failed to get the port number
`
const mountinfo = `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
51 35 0:42 / /var/lib/vmbackup/mnt/a\\040b rw - fuse.glusterfs gs1:data rw
`

export const glusterParsers: Parser[] = [
  parser('answer of gluster --xml', {
    input: likeText(...samples.values(), deep, entities),
    read: parseAnswer,
    holds: ({ opRet, opErrstr }) => {
      assert.ok(Number.isSafeInteger(opRet))
      if (opErrstr !== '') checkLine(opErrstr)
    },
  }),
  parser('failure told by gluster', {
    input: fc.tuple(
      likeText(...samplesOf(/^error/), 'geo-replication command failed'),
      likeText('Connection failed. check if gluster daemon is operational.'),
    ),
    read: ([stdout, stderr]) => {
      if (stdout.startsWith('<')) return answerIn(ended(stdout, stderr))
      throw failureIn(ended(stdout, stderr))
    },
    refusal: CommandFailed,
  }),
  parser('status of geo-replication', {
    input: likeText(...statuses),
    read: (text) => listedSessions(answerIn(ended(text))),
    refusal: CommandFailed,
    holds: (sessions) => {
      checkFindings({ sessions, session: sessions[0] })
      for (const { rows } of sessions) checkRows(rows)
    },
  }),
  parser('volume info', {
    input: likeText(...volumes),
    read: volumeIn,
    holds: (volume) => {
      if (volume === undefined) return
      const bricks = volume.sets.flat()
      assert.equal(new Set(bricks).size, bricks.length)
      for (const { host, path } of bricks) {
        assert.match(host, /^[A-Za-z0-9[][A-Za-z0-9._:%\]-]*$/)
        assert.ok(path.startsWith('/'))
      }
      assert.equal(new Set(bricks.map(({ host }) => host)).size, volume.hosts.length)
    },
  }),
  parser('options of a volume', {
    input: likeText(...volumes),
    read: (text) => {
      const volume = volumeIn(text)
      if (volume !== undefined) checkFindings({ primary: volume, secondaryVolume: volume })
      return volume === undefined ? 1 : shardBytes(volume)
    },
    holds: (bytes) => {
      checkAmount(bytes)
      assert.ok(bytes > 0)
    },
  }),
  parser('checkpoint of a session', {
    input: likeText('1732150800', 'checkpoint\n1732150800\n'),
    read: checkpointIn,
    refusal: 'none',
    holds: (at) => checkAmount(at ?? 0),
  }),
  parser('version of rsync', {
    input: likeText(
      'rsync  version 3.2.7  protocol version 31',
      'rsync  version v3.5.0  protocol version 32',
    ),
    read: (secondaryRsync) => checkFindings({ secondaryRsync }),
    refusal: 'none',
  }),
  parser('attributes listed by getfattr', {
    input: likeText(getfattr),
    read: (text) => ({
      gfids: listedIn(text, '/mnt/x', gfidIn),
      sizes: ['block-size', 'file-size'].map((name) =>
        listedIn(text, '/mnt/x', (line) => numberIn(line, `trusted.glusterfs.shard.${name}`)),
      ),
    }),
    holds: ({ gfids, sizes }) => {
      for (const gfid of gfids.values()) checkUuid(gfid)
      for (const some of sizes) for (const size of some.values()) checkAmount(size)
    },
  }),
  parser('log of a mount', {
    input: likeText(clientLog),
    read: complaintIn,
    refusal: 'none',
    holds: (said) => {
      if (said !== undefined) checkLine(said)
    },
  }),
  parser('mounts of this machine', {
    input: likeText(mountinfo),
    read: mountPointsIn,
    refusal: 'none',
    holds: (places) => assert.ok(places.every((one) => one !== '')),
  }),
]
