import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { Failure, messageOf } from '../model/errors.ts'
import { uuid as named } from '../model/names.ts'
import { oneLine } from '../model/shown.ts'

const instant = z.iso.datetime()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const uuid = z.string().regex(named)
const bytes = z.int().nonnegative()
const id = z.string().min(1)
/** What the engine gives all documents together. */
const largestOvf = 128 * 1024 * 1024

const pieces = sha256
  .optional()
  .describe('Of a sharded file: of the lines "shard N BYTES" of its shards, sorted, each with a line feed.')

const content = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('full'), sha256, pieces }),
    z.strictObject({ kind: z.literal('samples'), sha256, seed: z.string(), sampleBytes: bytes, pieces }),
  ])
  .describe('What was seen to be the same at both ends: all bytes, or the samples that the seed decides.')

const volume = z
  .strictObject({
    volume: uuid,
    parent: uuid.optional(),
    role: z.enum(['top', 'internal', 'shared']),
    format: z.enum(['raw', 'cow']),
    capacityBytes: bytes,
    fileBytes: bytes,
    content: content.optional(),
  })
  .describe('One file of a chain.')

const runId = z.string().regex(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/)
const primary = z.strictObject({ volume: z.string() })
const secondary = z.strictObject({ host: z.string(), volume: z.string() })

const disk = z.strictObject({
  id: uuid,
  name: z.string(),
  state: z.enum(['protected', 'left out', 'failed', 'elsewhere']),
  why: z.string().optional(),
  sizeBytes: bytes,
  chain: z.array(volume).optional().describe('Bottom first; only of a protected disk.'),
  in: z
    .strictObject({ run: runId, primary, secondary })
    .optional()
    .describe(
      'Of a disk that is elsewhere: the recovery point, of the same instant, that holds it. Its VM is whole only with that one.',
    ),
})

const vm = z.strictObject({
  id,
  name: z.string(),
  state: z.enum(['protected', 'left out', 'failed']),
  why: z.string().optional(),
  consistency: z.enum(['frozen', 'crash', 'offline']).optional(),
  asOf: z
    .strictObject({ earliest: instant, latest: instant })
    .optional()
    .describe(
      'The copy is the state of an instant in here: all that was written before `earliest` is in it.',
    ),
  ran: z.boolean().describe('Whether it ran when the run began.'),
  disks: z.array(disk),
  ovf: z
    .strictObject({ sha256, gzip: z.base64() })
    .optional()
    .describe('Its document as the OVF_STORE has it: gzip, base64; the digest is of the plain text.'),
})

const ovfStore = z.strictObject({ image: uuid, volume: uuid, bytes, sha256, description: z.string() })

const point = z.strictObject({
  run: runId,
  tool: z.string(),
  state: z
    .enum(['unfinished', 'finished'])
    .describe('Unfinished: replication had begun to write; nothing may be claimed of this volume.'),
  startedAt: instant,
  finishedAt: instant.optional(),
  supersedes: z.array(z.string()).describe('The points whose images this run began to overwrite.'),
  primary,
  secondary,
  engine: z.string(),
  domain: z.strictObject({ id: uuid, name: z.string(), blockBytes: bytes.optional() }),
  comparison: z.strictObject({ mode: z.enum(['quick', 'full', 'off']), bytesRead: bytes }).optional(),
  ovfStores: z.array(ovfStore),
  vms: z.array(vm),
})

const sealed = z
  .strictObject({
    format: z.literal('vmbackup recovery point'),
    version: z.literal(1),
    sha256: sha256.describe('Of `point` as canonical JSON (RFC 8785).'),
    point,
  })
  .describe('The manifest of a recovery point, as it lies on the secondary volume under vmbackup/points.')

/** What the secondary volume was made to hold by one run. Its shape is documented in manifest.schema.json. */
export type RecoveryPoint = z.output<typeof point>
export type PointVm = RecoveryPoint['vms'][number]
export type PointDisk = PointVm['disks'][number]
export type PointVolume = NonNullable<PointDisk['chain']>[number]

/** The manifest's text, sealed with a digest. */
export function sealPoint(content: RecoveryPoint): string {
  const text = { format: 'vmbackup recovery point', version: 1, sha256: digestOf(content), point: content }
  return `${JSON.stringify(text, undefined, 1)}\n`
}

/** Reads a manifest; throws Failure when it is not one, is damaged, or was changed after it was sealed. */
export function readPoint(text: string, file: string): RecoveryPoint {
  const broken = (why: string): Failure =>
    new Failure(`the manifest ${file} cannot be trusted: ${why}`, {
      hint: 'use another recovery point; what this one claims is not known any more',
    })
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch (error) {
    throw broken(`it is no JSON: ${oneLine(messageOf(error), 200)}`)
  }
  const read = sealed.safeParse(found)
  if (!read.success) {
    const [first] = read.error.issues
    throw broken(oneLine(`${first?.path.join('.') ?? ''}: ${first?.message ?? 'another shape'}`, 300))
  }
  if (!isSealed(read.data)) throw broken('its content does not match its digest')
  return read.data.point
}

/** Text that is not well-formed has no canonical form, so that nobody can have sealed it. */
function isSealed({ point: content, sha256: digest }: z.output<typeof sealed>): boolean {
  try {
    return digestOf(content) === digest
  } catch {
    return false
  }
}

/** The manifest's schema as JSON Schema, for manifest.schema.json. */
export function manifestSchema(): unknown {
  return z.toJSONSchema(sealed)
}

/** A VM's document as a manifest keeps it. */
export function packOvf(text: string): NonNullable<PointVm['ovf']> {
  return { sha256: sha256Of(text), gzip: gzipSync(text).toString('base64') }
}

/** The document again; throws Failure when it is not what was packed. */
export function unpackOvf(ovf: NonNullable<PointVm['ovf']>): string {
  const text = unzipped(ovf.gzip)
  if (sha256Of(text) === ovf.sha256) return text
  throw new Failure('the document of a VM does not match its digest in the manifest')
}

function unzipped(gzip: string): string {
  try {
    return gunzipSync(Buffer.from(gzip, 'base64'), { maxOutputLength: largestOvf }).toString('utf8')
  } catch (error) {
    throw new Failure(`the document of a VM in the manifest cannot be unpacked: ${messageOf(error)}`)
  }
}

export function sha256Of(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

function digestOf(content: RecoveryPoint): string {
  return sha256Of(canonicalize(content) ?? '')
}
