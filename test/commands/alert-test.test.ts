import { expect, test } from 'vitest'
import { aMailServer } from '../notify/a-mail-server.ts'
import { aSite } from './a-terminal.ts'

const routes = (port: number) => `
[mail]
server = 127.0.0.1:${port}
tls = none
from = vmbackup@example.com
[route ops]
mail = ops@example.com
[route night]
webhook = http://127.0.0.1:9/nobody
`

test('a test message reaches the receivers of a route, and who did not take it is named with the reason', async () => {
  const server = await aMailServer()
  const { vmbackup } = aSite({ more: routes(server.endpoint.port) })
  expect((await vmbackup('alert test ops')).code).toBe(0)
  expect(server.received).toMatchObject([
    { to: ['ops@example.com'], text: expect.stringContaining('test message') },
  ])
  const all = await vmbackup('alert test --json')
  expect(all.code).toBe(1)
  expect(JSON.parse(all.stdout).results).toMatchObject([
    { receiver: { route: 'ops', channel: 'mail' } },
    { receiver: { route: 'night', channel: 'webhook' }, why: expect.stringContaining('ECONNREFUSED') },
  ])
})

test('where nobody is told of anything, a test message says how to write a route', async () => {
  const { vmbackup } = aSite()
  await expect(vmbackup('alert test')).rejects.toThrow('has no route')
})
