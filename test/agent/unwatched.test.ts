import { expect, test } from 'vitest'
import { pairStanding } from '../../src/agent/standing.ts'
import { unwatchedVms } from '../../src/agent/unwatched.ts'
import { aReport } from '../api/fake-agent.ts'

const proved = Date.parse('2026-11-21T12:00:00.000Z')
const pair = 'data--dr1.example.com--copy'
const hour = 3_600_000
const web = { id: '00000000-0000-4000-8000-000000000000', name: 'web01', jobs: ['nightly'], pairs: [pair] }
const standings = new Map([[pair, pairStanding({ run: 'R', report: aReport('20261121T120000Z-0a1b2c3d') })]])

const viewed = (vm: Partial<Parameters<typeof unwatchedVms>[0][0]>, hours: number, known = standings) =>
  unwatchedVms([{ ...web, ...vm }], known, proved + hours * hour, 20)[0]

test.each([
  [1, 'ok'],
  [3.5, 'warning'],
  [4.5, 'breach'],
])('a point that is %d h old stands as %2$s against an RPO of 4 h', (hours, rpo) => {
  expect(viewed({ rpoMs: 4 * hour, policy: 'gold' }, hours)).toEqual({
    id: web.id,
    name: 'web01',
    job: 'nightly',
    policy: 'gold',
    state: 'protected',
    provedAsOf: '2026-11-21T12:00:00.000Z',
    rpoMs: 4 * hour,
    rpo,
    breachAt: '2026-11-21T16:00:00.000Z',
  })
})

test('a VM that no run has come to is in breach, since nobody knows for how long', () => {
  expect(viewed({ rpoMs: 4 * hour }, 1, new Map())).toMatchObject({ state: 'waiting', rpo: 'breach' })
  expect(viewed({ rpoMs: 4 * hour }, 1, new Map())).not.toHaveProperty('breachAt')
})

test('a VM without an RPO, or that no job takes, has none to break', () => {
  expect(viewed({}, 100)).toMatchObject({ state: 'protected', rpo: 'none' })
  const out = viewed({ whyNot: 'kept out by tag vmbackup-no', rpoMs: 1 }, 100)
  expect(out).toMatchObject({ state: 'not selected', rpo: 'none', why: 'kept out by tag vmbackup-no' })
  expect(out).not.toHaveProperty('job')
})
