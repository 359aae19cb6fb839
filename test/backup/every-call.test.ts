import { expect, test } from 'vitest'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { eventsOf, lies, litter, runWith, unowed } from './disturbed.ts'
import { modes, undisturbed } from './fault-modes.ts'

async function flawsOfCall(at: number, mode: string): Promise<string[] | undefined> {
  const twoDisks = [aDisk('web-disk1'), aDisk('web-disk2')]
  await using stage = await createStage([aVm('web', { disks: twoDisks }), aVm('spare', { status: 'down' })])
  const controller = new AbortController()
  const between = modes[mode]?.(at, controller) ?? undisturbed
  const first = await runWith(stage, between, at, controller.signal)
  if (first.hit === undefined) return undefined
  const flaws = [...lies(stage, first), ...(await unowed(stage))]

  const second = await runWith(stage, undisturbed, 0, new AbortController().signal)
  flaws.push(...lies(stage, second), ...(await litter(stage)))
  if (second.report.outcome !== 'protected')
    flaws.push(`the next run: ${JSON.stringify(second.report.error)}`)
  for (const { report } of [first, second]) {
    const events = eventsOf(stage, report)
    if (events !== 1) flaws.push(`${events} closing events`)
  }
  return flaws.map((flaw) => `call ${at}, ${first.hit}: ${flaw}`)
}

test.each(Object.keys(modes))(
  'whichever call %s, no claim is false and the next run leaves all clean and protected',
  { timeout: 60_000 },
  async (mode) => {
    const flaws: string[] = []
    let at = 1
    for (; ; at += 1) {
      const found = await flawsOfCall(at, mode)
      if (found === undefined) break
      flaws.push(...found)
    }
    expect(flaws).toEqual([])
    expect(at).toBeGreaterThan(30)
  },
)
