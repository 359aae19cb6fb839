import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { takeLease } from '../../src/run/lease.ts'
import { describeObligation, obligationIn } from '../../src/run/obligation.ts'
import { fakeClock } from '../support/stage.ts'
import { uuidOf } from '../support/vms.ts'
import { likeJson } from './hostile-json.ts'
import { checkAmount, checkLine, checkUuid, type Parser, parser } from './parser.ts'
import { aPlace } from './place.ts'

const vm = { id: 'vm-1', name: 'web' }
const overlays = [{ image: uuidOf('image'), base: uuidOf('base'), overlay: uuidOf('overlay') }]
const entries = [
  { kind: 'freeze', vm },
  { kind: 'snapshot', vm, domain: uuidOf('domain'), description: 'vmbackup 1', overlays },
  { kind: 'overlays', vm, domain: uuidOf('domain'), overlays },
  { kind: 'session' },
  { kind: 'bandwidth', found: { 'rsync-options': '--compress', 'sync-jobs': '3' } },
  { kind: 'mount', dir: '/var/lib/vmbackup/mnt/a', on: 'gp1/1' },
  { kind: 'job', text: 'vmbackup 1' },
  { kind: 'event', number: 7, startedAt: '2026-11-21T00:00:00.000Z' },
]
const record = {
  machine: { name: 'gp2', id: 'gp2', boot: 'b' },
  pid: 1,
  since: '2026-11-21T00:00:00.000Z',
  beat: 1,
}

export const ledgerParsers: Parser[] = [
  parser('entry of the ledger', {
    input: likeJson(...entries),
    read: obligationIn,
    refusal: 'none',
    holds: (what) => {
      checkLine(describeObligation(what))
      if (what.kind === 'snapshot' || what.kind === 'overlays') {
        for (const { image, base, overlay } of what.overlays)
          for (const id of [image, base, overlay]) checkUuid(id)
        checkUuid(what.domain)
      }
      if (what.kind === 'bandwidth') {
        for (const [name, text] of Object.entries(what.found)) {
          assert.match(name, /^[a-z][a-z-]*$/)
          assert.ok(text.length <= 4096)
          assert.doesNotMatch(text, /\p{Cc}/u)
        }
      }
      if (what.kind === 'event') checkAmount(Math.abs(what.number))
    },
  }),
  parser("another machine's lease", {
    input: likeJson(record),
    read: async (text) => {
      const file = aPlace('data.lease')
      await writeFile(file, text)
      const waits: string[] = []
      const lease = await takeLease(file, {
        machine: { name: 'gp1', id: 'gp1', boot: 'a' },
        clock: fakeClock(),
        signal: new AbortController().signal,
        leaseMs: 60_000,
        waiting: (what) => waits.push(what),
      })
      lease[Symbol.dispose]()
      return waits
    },
    refusal: 'none',
    holds: (waits) => {
      assert.ok(waits.length === 0 || waits.length >= 8)
      for (const what of waits) checkLine(what)
    },
  }),
]
