import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import type { Report } from '../../src/run/report.ts'
import { domain, otherDomain } from '../support/memory-hypervisor.ts'
import { createTwoPairs, onOther, type TwoPairs } from '../support/two-pairs.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { modes, undisturbed } from './fault-modes.ts'
import { type Intercept, intercepted } from './intercept.ts'
import { claimsOf, litterOf, statesOf, unowedOf } from './pairs-after.ts'

/** All of them take a quarter of an hour. */
const stride = process.env['VMBACKUP_TEST_ALL'] === 'yes' ? 1 : 13

const places = [
  { id: domain.id, at: 0 },
  { id: otherDomain.id, at: 1 },
] as const

const fileOf = (disk: { id: string; domains: string[] }, volume: string) => {
  const { id, at } = places.find((one) => disk.domains.includes(one.id)) ?? places[0]
  return { at, data: vdsmLayout.filesOf(id, disk.id, volume).data }
}

/** Guests that run write the same number into all of their disks, each time anybody asks anything. */
function letGuestsWrite(pairs: TwoPairs, count: number): void {
  for (const vm of pairs.engine.world.vms) {
    if (vm.status !== 'up') continue
    for (const disk of vm.disks) {
      const { at, data } = fileOf(disk, disk.volume ?? '')
      const file = join(pairs.stages[at].replicated.primaryDir, data)
      writeFileSync(file, `${count} `.padStart(20), { flag: 'r+' })
    }
  }
}

/** The numbers in the copies of a VM's two disks: of one instant only if they are one. */
function numbersOf(pairs: TwoPairs, disks: readonly { id: string; domains: string[]; volume?: string }[]) {
  return disks.map((disk) => {
    const { at, data } = fileOf(disk, disk.volume ?? '')
    const copy = readFileSync(join(pairs.stages[at].replicated.secondaryDir, data), 'latin1')
    return copy.slice(0, 20).trim()
  })
}

const bothDisks = [aDisk('both-1'), onOther('both-2')]

async function disturb(pairs: TwoPairs, between: Intercept, signal: AbortSignal, at: number) {
  const { hypervisor } = pairs.engine
  const replications = pairs.stages.map(({ replicated }) => replicated.replication)
  let calls = 0
  let hit: string | undefined
  const counted: Intercept = (method, act) => {
    calls += 1
    letGuestsWrite(pairs, calls)
    if (calls === at) hit = method
    return between(method, act)
  }
  pairs.engine.hypervisor = intercepted(hypervisor, counted)
  for (const { replicated } of pairs.stages)
    replicated.replication = intercepted(replicated.replication, counted)
  const reports = await pairs.run({}, { signals: [signal, signal] })
  pairs.engine.hypervisor = hypervisor
  for (const [index, { replicated }] of pairs.stages.entries())
    replicated.replication = replications[index] ?? replicated.replication
  return { reports, hit }
}

async function lies(pairs: TwoPairs, reports: readonly Report[]): Promise<string[]> {
  const flaws: string[] = []
  const states = statesOf(reports).map((one) => one['both'] ?? 'failed')
  const claims = (await claimsOf(pairs, 'both')).map((one) => one === 'protected')
  if (new Set(states).size > 1) flaws.push(`the reports say ${states.join()}`)
  if (new Set(claims).size > 1) flaws.push(`the manifests claim ${claims.join()}`)
  const numbers = states.includes('protected') ? numbersOf(pairs, bothDisks) : []
  if (new Set(numbers).size > 1) flaws.push(`no instant: ${numbers.join()}`)
  for (const [at, { leftOpen }] of reports.entries()) {
    const owed = pairs.stages[at]?.owed() ?? []
    if (owed.length !== leftOpen.length) flaws.push(`${at} owes ${owed.join()}, tells of ${leftOpen.length}`)
  }
  return flaws
}

async function flawsOfCall(at: number, mode: string): Promise<string[] | undefined> {
  await using pairs = await createTwoPairs([
    aVm('both', { guestAgent: true, disks: structuredClone(bothDisks) }),
    aVm('left'),
    aVm('right', { disks: [onOther('right-1')] }),
  ])
  const controller = new AbortController()
  const between = modes[mode]?.(at, controller) ?? undisturbed
  const { reports, hit } = await disturb(pairs, between, controller.signal, at)
  if (hit === undefined) return undefined
  const flaws = [...(await lies(pairs, reports)), ...(await unowedOf(pairs))]

  const next = await disturb(pairs, undisturbed, new AbortController().signal, 0)
  flaws.push(...(await lies(pairs, next.reports)), ...(await litterOf(pairs)))
  for (const { outcome, error } of next.reports)
    if (outcome !== 'protected') flaws.push(`the next run: ${outcome} ${JSON.stringify(error)}`)
  return flaws.map((flaw) => `call ${at}, ${hit}: ${flaw}`)
}

test.each(Object.keys(modes).map((mode, at) => [mode, at] as const))(
  'whichever call of two runs %s, a VM on both volumes is one instant or none, and the next run leaves all clean and protected',
  { timeout: 900_000 },
  async (mode, first) => {
    const flaws: string[] = []
    let at = 1 + first * 2
    for (; ; at += stride) {
      const found = await flawsOfCall(at, mode)
      if (found === undefined) break
      flaws.push(...found)
    }
    expect(flaws).toEqual([])
    expect(at).toBeGreaterThan(60)
  },
)

test('control: two runs, one after the other, copy two instants', async () => {
  await using pairs = await createTwoPairs([aVm('both', { disks: structuredClone(bothDisks) })])
  const [one, other] = pairs.stages
  let count = 0
  const writing: Intercept = (_method, act) => {
    letGuestsWrite(pairs, ++count)
    return act()
  }
  pairs.engine.hypervisor = intercepted(pairs.engine.hypervisor, writing)
  await one.run()
  await other.run()
  expect(new Set(numbersOf(pairs, bothDisks)).size).toBe(2)
})
