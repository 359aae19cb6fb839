import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { findAgent } from '../../src/api/client.ts'
import { watchStatus } from '../../src/commands/status.ts'
import { Cancelled } from '../../src/model/errors.ts'
import { systemClock } from '../../src/run/clock.ts'
import { aSiteWithAgent, aTerminal } from './a-terminal.ts'

/** Polls until it is so; the test's own time-out ends it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20))
}

test('the view follows the agent, says when it is gone, and ends in good order', async () => {
  const { agent, socket, end } = await aSiteWithAgent()
  const control = new AbortController()
  const { terminal, said } = aTerminal(control.signal, { isTTY: true, columns: 60, rows: 12 })
  const client = await findAgent(socket)
  if (client === undefined) throw new Error('no agent')
  const watching = watchStatus(client, () => findAgent(socket), terminal, systemClock)
  const text = () => stripVTControlCharacters(said.stdout)
  await until(() => text().includes('nightly  waiting'))
  agent.start('nightly')
  await until(() => text().includes('nightly  running'))
  await end()
  await until(() => text().includes('the agent does not answer since'))
  control.abort(new Cancelled('cancelled by SIGINT'))
  await watching
  expect(text()).not.toContain('SIGINT')
})
