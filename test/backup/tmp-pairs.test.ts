import { expect, test } from 'vitest'
import { Cancelled, CommandFailed, EngineError } from '../../src/model/errors.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { eventsOf, lies, litter, runWith } from './disturbed.ts'
import type { Intercept } from './intercept.ts'

const methods = ['about','findings','domains','vms','observe','updateOvfStore','takeSnapshot','removeSnapshot','announce','openJob','findJobs','openStep','closeStep','closeJob','pair','session','start','stop','mark','progress','openPrimary','openSecondary','closeVolume','nudge','unmount']
const engineMethods = new Set(methods.slice(0, 14))
function aFault(method: string): Error {
  return engineMethods.has(method)
    ? new EngineError(`${method}: no answer`)
    : new CommandFailed(`${method}: broken`, { argv: ['gluster', method], exitCode: 1 })
}
const undisturbed: Intercept = (_m, act) => act()
const all = new Map<string, number>()
test.each(['', ...methods])('always failing %s', { timeout: 600_000 }, async (bad) => {
  for (const kind of ['cancel', 'fail']) for (let at = 1; ; at += 1) {
    const twoDisks = [aDisk('web-disk1'), aDisk('web-disk2')]
    await using stage = await createStage([aVm('web', { disks: twoDisks }), aVm('spare', { status: 'down' })])
    const controller = new AbortController()
    let calls = 0
    const first = await runWith(stage, async (method, act) => {
      calls += 1
      if (calls === at && kind === 'cancel') controller.abort(new Cancelled('SIGTERM'))
      if (calls === at && kind === 'fail') throw aFault(method)
      // the bad method fails only from the fault on
      if (calls > at && method === bad) throw aFault(method)
      return act()
    }, at, controller.signal)
    if (first.hit === undefined) break
    const flaws = lies(stage, first).map((f) => `first ${f}`)
    const second = await runWith(stage, undisturbed, 0, new AbortController().signal)
    flaws.push(...lies(stage, second), ...(await litter(stage)))
    if (second.report.outcome !== 'protected') flaws.push(`next ${JSON.stringify(second.report.error)} ${JSON.stringify(second.report.vms)}`)
    for (const { report } of [first, second]) {
      const events = eventsOf(stage, report)
      if (events !== 1) flaws.push(`${events} closing events`)
    }
    for (const flaw of flaws) console.log(`${bad} after ${kind} at ${at} ${first.hit}: ${flaw}`)
  }
})
