import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { litter } from '../backup/disturbed.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage, openStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { isKilled } from './kill.ts'

type Stage = Awaited<ReturnType<typeof openStage>>

/** A backup, or `recover`, in a process that is killed at its nth write to the ledger; tells whether it came to that. */
const isKilledIn = (root: string, at: string, act: 'run' | 'recover' = 'run'): Promise<boolean> =>
  isKilled('run-once.ts', [root, act], at, act === 'run' ? 'protected' : 'settled')

const aWorld = () =>
  createStage([
    aVm('web', { guestAgent: true, disks: [aDisk('web-disk1'), aDisk('web-disk2')] }),
    aVm('idle', { status: 'down' }),
  ])

/** Of every VM, that what it runs on is there. */
function missingDisks({ engine, replicated }: Stage): string[] {
  return engine.world.vms.flatMap((vm) =>
    vm.disks.flatMap(({ id, volume = '' }) => {
      const { data } = vdsmLayout.filesOf(domain.id, id, volume)
      return existsSync(join(replicated.primaryDir, data)) ? [] : [`${vm.name} has lost ${data}`]
    }),
  )
}

/** What is wrong with a world after a crash once `recover` was there. */
async function flawsOf(root: string): Promise<string[]> {
  const stage = await openStage(root)
  const recovery = await stage.recover()
  const flaws = [...(await litter(stage)), ...missingDisks(stage)]
  if (stage.engine.world.frozen.length > 0) flaws.push('a guest is frozen')
  if (recovery.outcome !== 'settled') flaws.push(`recover: ${JSON.stringify(recovery)}`)
  if ((await stage.recover()).found.length > 0) flaws.push('a second recover found something')

  const next = await stage.run()
  if (next.outcome !== 'protected') flaws.push(`the next run: ${JSON.stringify(next.error ?? next.vms)}`)
  if (next.warnings.length > 0) flaws.push(`the next run warns: ${next.warnings.join()}`)
  return [...flaws, ...(await litter(stage))]
}

/** Kills at write 1, 2, 3, ... until the act comes to its end; returns how many kills that were. */
async function killAtEach(
  when: string,
  act: (at: string, root: string) => Promise<boolean>,
): Promise<{ kills: number; flaws: string[] }> {
  const flaws: string[] = []
  for (let write = 1; ; write += 1) {
    await using world = await aWorld()
    const at = `${when}:${write}`
    if (!(await act(at, world.root))) return { kills: write - 1, flaws }
    flaws.push(...(await flawsOf(world.root)).map((flaw) => `killed ${at}: ${flaw}`))
  }
}

const moments = ['before', 'after']

test.concurrent.each(moments)(
  'a run killed right %s any of its writes to the ledger leaves nothing after `recover`, and the next run protects',
  { timeout: 300_000 },
  async (when) => {
    const { kills, flaws } = await killAtEach(when, (at, root) => isKilledIn(root, at))
    process.stdout.write(`a run was killed right ${when} each of its ${kills} writes\n`)
    expect(flaws).toEqual([])
    expect(kills).toBeGreaterThan(20)
  },
)

test.concurrent.each(moments)(
  'a `recover` killed right %s any of its writes is finished by the next one',
  { timeout: 300_000 },
  async (when) => {
    // When most is owed: the session runs, the guest is on its overlays.
    const { kills, flaws } = await killAtEach(when, async (at, root) => {
      expect(await isKilledIn(root, 'after:15')).toBe(true)
      return isKilledIn(root, at, 'recover')
    })
    process.stdout.write(`a recover was killed right ${when} each of its ${kills} writes\n`)
    expect(flaws).toEqual([])
    expect(kills).toBeGreaterThan(4)
  },
)
