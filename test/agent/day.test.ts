import { expect, test } from 'vitest'
import { agentStage, aJob } from './agent-stage.ts'

const hour = 3_600_000

// The day on which the clocks of Vienna go back: 02:30 comes twice, and the day has 25 hours. Times are Vienna's; each line tells a
// run, what is told (by its severity), or what befalls the agent.
test('a day of three jobs: schedules, overlap, a killed agent, an engine that is away, RPO breaches', async () => {
  const jobs = [
    aJob('data', { schedule: '0 */4 * * *', rpoMs: 5 * hour }),
    aJob('mail', { rpoMs: 2 * hour }),
    aJob('archive', { schedule: '30 2 * * *' }),
  ]
  const stage = agentStage(jobs, '2026-10-24T21:59:00Z', {
    data: ['db', 'web'],
    mail: ['mx1'],
    archive: ['old'],
  })
  stage.going('data', { minutes: 20 })
  stage.going('mail', { minutes: 15 })
  stage.going('archive', { minutes: 90 })
  await stage.until('2026-10-25T07:10:00Z')
  await stage.kill()
  await stage.until('2026-10-25T09:30:00Z')
  stage.start()
  await stage.until('2026-10-25T10:50:00Z')
  stage.going('data', { minutes: 250 })
  await stage.until('2026-10-25T15:30:00Z')
  stage.engine('the engine does not answer')
  await stage.until('2026-10-25T18:00:00Z')
  stage.engine()
  stage.going('data', { minutes: 20, failing: { web: 'disk web_Disk1 is illegal' } })
  await stage.until('2026-10-25T23:00:00Z')
  await stage.end()
  expect(`\n${stage.lines.join('\n')}\n`).toBe(`
lör 23:59  run mail starts
sön 00:14  run mail ends: protected
sön 00:14    normal: mail: 1 of 1 VMs protected
sön 00:14  run data starts
sön 00:34  run data ends: protected
sön 00:34    normal: data: 2 of 2 VMs protected
sön 01:32  run mail starts
sön 01:47  run mail ends: protected
sön 01:47    normal: mail: 1 of 1 VMs protected
sön 02:30  run archive starts
sön 02:18    warning: mail: mx1 breaks its RPO of 2 h at 2026-10-25 02:32
sön 02:32    alert: mail: mx1 has no recovery point within its RPO of 2 h
sön 03:00  run archive ends: protected
sön 03:00    normal: archive: 1 of 1 VMs protected
sön 03:00  run mail starts
sön 03:14    warning: data: 2 VMs are about to break their RPO: db, web
sön 03:15  run mail ends: protected
sön 03:15    normal: mail: 1 of 1 VMs protected
sön 03:15    alert: mail: mx1 is within the RPO again
sön 04:00  run data starts
sön 04:14    alert: data: 2 VMs have no recovery point within their RPO: db, web
sön 04:20  run data ends: protected
sön 04:20    normal: data: 2 of 2 VMs protected
sön 04:20    alert: data: db, web are within the RPO again
sön 04:33  run mail starts
sön 04:48  run mail ends: protected
sön 04:48    normal: mail: 1 of 1 VMs protected
sön 06:06  run mail starts
sön 06:21  run mail ends: protected
sön 06:21    normal: mail: 1 of 1 VMs protected
sön 07:39  run mail starts
sön 07:54  run mail ends: protected
sön 07:54    normal: mail: 1 of 1 VMs protected
sön 08:00  run data starts
sön 08:10  the agent is killed
sön 10:30  the agent is started
sön 10:30    alert: data: the run of 2026-10-25 08:00 was interrupted: the agent was ended in the middle of it
sön 10:30  what data owes is settled
sön 10:30    alert: data: 2 VMs have no recovery point within their RPO: db, web
sön 10:30    alert: mail: mx1 has no recovery point within its RPO of 2 h
sön 10:30  run mail starts
sön 10:45  run mail ends: protected
sön 10:45    normal: mail: 1 of 1 VMs protected
sön 10:45  run data starts
sön 10:45    alert: mail: mx1 is within the RPO again
sön 11:05  run data ends: protected
sön 11:05    alert: data: 2 of 2 VMs protected
sön 11:05    alert: data: db, web are within the RPO again
sön 12:00  run data starts
sön 12:06    warning: mail: mx1 breaks its RPO of 2 h at 2026-10-25 12:30
sön 12:30    alert: mail: mx1 has no recovery point within its RPO of 2 h
sön 14:45    warning: data: 2 VMs are about to break their RPO: db, web
sön 15:45    alert: data: 2 VMs have no recovery point within their RPO: db, web
sön 16:00    normal: data: the run of 2026-10-25 16:00 was not started
sön 16:10  run data ends: protected
sön 16:10    normal: data: 2 of 2 VMs protected
sön 16:10  run mail starts
sön 16:25  run mail ends: protected
sön 16:25    normal: mail: 1 of 1 VMs protected
sön 16:25    alert: mail: mx1 is within the RPO again
sön 16:30  the engine is away: the engine does not answer
sön 16:45    warning: engine: the engine does not answer
sön 17:00    alert: data: 2 VMs have no recovery point within their RPO: db, web
sön 17:43  run mail starts
sön 17:48  run mail ends: refused
sön 17:48    alert: mail: the run was not completed (refused): the engine does not answer
sön 17:48    warning: mail: mx1 breaks its RPO of 2 h at 2026-10-25 18:10
sön 18:03  run mail starts
sön 18:08  run mail ends: refused
sön 18:10    alert: mail: mx1 has no recovery point within its RPO of 2 h
sön 18:38  run mail starts
sön 18:43  run mail ends: refused
sön 19:00  the engine is back
sön 19:03    warning: engine: works again after 2 h 28 min
sön 19:03  run mail starts
sön 19:18  run mail ends: protected
sön 19:18    alert: mail: 1 of 1 VMs protected
sön 19:18    alert: mail: mx1 is within the RPO again
sön 20:00  run data starts
sön 20:20  run data ends: partly protected
sön 20:20    warning: data: 1 of 2 VMs protected
sön 20:20    alert: data: db is within the RPO again
sön 20:36  run mail starts
sön 20:51  run mail ends: protected
sön 20:51    normal: mail: 1 of 1 VMs protected
sön 22:09  run mail starts
sön 22:24  run mail ends: protected
sön 22:24    normal: mail: 1 of 1 VMs protected
sön 23:42  run mail starts
sön 23:57  run mail ends: protected
sön 23:57    normal: mail: 1 of 1 VMs protected
mån 00:00  run data starts
mån 00:00    warning: data: db breaks its RPO of 5 h at 2026-10-26 01:00
mån 00:00  run data ends: cancelled
`)
})
