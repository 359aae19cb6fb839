import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { packOvf, type RecoveryPoint, readPoint, sealPoint, unpackOvf } from '../../src/point/manifest.ts'
import { listPoints, pointsDir } from '../../src/point/points.ts'
import { summaryOf } from '../../src/point/summary.ts'
import { aPoint } from '../point/a-point.ts'
import { likeText } from './hostile.ts'
import { likeJson } from './hostile-json.ts'
import { checkAmount, checkLine, checkUuid, type Parser, parser } from './parser.ts'
import { aPlace } from './place.ts'

const point = aPoint({ supersedes: ['20261120T010000Z-00000001'] })
const withSamples = aPoint({
  ovfStores: [
    {
      image: point.domain.id,
      volume: point.domain.id,
      bytes: 10,
      sha256: 'a'.repeat(64),
      description: 'EOF\n',
    },
  ],
})

/** Sealed by whoever wrote it: the seal finds damage, not forgery. */
const forged = likeJson(point, withSamples).map((text) => {
  const seal = createHash('sha256').update(canonicalOf(text)).digest('hex')
  return `{"format":"vmbackup recovery point","version":1,"sha256":"${seal}","point":${text}}`
})

function canonicalOf(text: string): string {
  try {
    return canonicalize(JSON.parse(text)) ?? ''
  } catch {
    return ''
  }
}

function checkPoint(found: RecoveryPoint): void {
  assert.match(found.run, /^\d{8}T\d{6}Z-[0-9a-f]{8}$/)
  checkUuid(found.domain.id)
  for (const store of found.ovfStores) for (const id of [store.image, store.volume]) checkUuid(id)
  for (const disk of found.vms.flatMap((vm) => vm.disks)) {
    checkUuid(disk.id)
    checkAmount(disk.sizeBytes)
    for (const { volume, parent, fileBytes } of disk.chain ?? []) {
      checkAmount(fileBytes)
      for (const id of [volume, parent ?? volume]) checkUuid(id)
    }
  }
}

/** 320 MiB out of some hundred KiB. */
const bomb = {
  ...packOvf(''),
  gzip: Buffer.concat(Array(20).fill(gzipSync(Buffer.alloc(16 * 1024 * 1024)))).toString('base64'),
}

export const pointParsers: Parser[] = [
  parser('manifest', {
    input: likeText(sealPoint(point)),
    read: (text) => readPoint(text, 'x.json'),
    holds: checkPoint,
  }),
  parser('manifest of the right seal', {
    input: forged,
    read: (text) => readPoint(text, 'x.json'),
    holds: checkPoint,
  }),
  parser('document in a manifest', {
    input: fc.oneof(
      {
        weight: 1000,
        arbitrary: likeText(packOvf('<Envelope/>').gzip).map((gzip) => ({ ...packOvf('<Envelope/>'), gzip })),
      },
      { weight: 1, arbitrary: fc.constant(bomb) },
    ),
    read: unpackOvf,
    holds: (text) => assert.equal(text, '<Envelope/>'),
  }),
  parser('list of recovery points', {
    input: fc.tuple(forged, likeText(point.run, '20261121T020000Z-00000002')),
    read: async ([text, name]) => {
      const root = aPlace('volume')
      const dir = join(root, pointsDir)
      await rm(dir, { recursive: true, force: true })
      await mkdir(dir, { recursive: true })
      await writeFile(join(dir, `${point.run}.json`), text)
      await writeFile(join(dir, `${name.replaceAll(/[/\0]/g, '_').slice(0, 60)}.json`), text)
      return (await listPoints(root)).map((found) => ({ found, summary: summaryOf(found, new Date(0)) }))
    },
    holds: (some) => {
      for (const { found, summary } of some) {
        assert.match(found.run, /^\d{8}T\d{6}Z-[0-9a-f]{8}$/)
        if (summary.why !== undefined) checkLine(summary.why)
        assert.ok(summary.ageMs === undefined || Number.isFinite(summary.ageMs))
      }
    },
  }),
]
