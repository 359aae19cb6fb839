import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openNbd } from '../../src/lab/vms/nbd.ts'
import { openQmp } from '../../src/lab/vms/qmp.ts'

let directory: Awaited<ReturnType<typeof mkdtempDisposable>>
let server: Server
let path: string
beforeEach(async () => {
  directory = await mkdtempDisposable(join(tmpdir(), 'sockets-'))
  path = join(directory.path, 'socket')
})
afterEach(async () => {
  server.close()
  await directory.remove()
})

async function serve(converse: (socket: Socket) => void): Promise<void> {
  server = createServer(converse).listen(path)
  await once(server, 'listening')
}

/** A QMP monitor that knows capabilities, `work` (an event, then the answer) and `leave` (closes the socket). */
function monitor(socket: Socket): void {
  const say = (message: object) => socket.write(`${JSON.stringify(message)}\r\n`)
  say({ QMP: { version: {}, capabilities: [] } })
  createInterface({ input: socket }).on('line', (line) => {
    const { execute, id } = JSON.parse(line) as { execute: string; id: number }
    if (execute === 'leave') return socket.destroy()
    if (execute === 'work') say({ event: 'DONE', data: { device: 'a' } })
    if (execute === 'break') return say({ id, error: { class: 'GenericError', desc: 'node is busy' } })
    return say({ id, return: { execute } })
  })
}

test('a QMP command has its answer, and its event is not missed', async () => {
  await serve(monitor)
  const qmp = await openQmp(path)
  const event = qmp.event(({ data }) => data['device'] === 'a')
  expect(await qmp.run('work')).toEqual({ execute: 'work' })
  expect(await event).toEqual({ event: 'DONE', data: { device: 'a' } })
  qmp.close()
})

test('a refused QMP command throws what qemu says', async () => {
  await serve(monitor)
  const qmp = await openQmp(path)
  await expect(qmp.run('break')).rejects.toThrow('qemu refused break: node is busy')
  qmp.close()
})

test('the end of qemu ends every wait, and refuses what comes after', async () => {
  await serve(monitor)
  const qmp = await openQmp(path)
  const waits = [qmp.event(() => false), qmp.run('leave')]
  for (const each of await Promise.allSettled(waits)) expect(each.status).toBe('rejected')
  await expect(qmp.run('work')).rejects.toThrow('ended')
  await expect(qmp.event(() => true)).rejects.toThrow('ended')
})

test('an NBD client refuses what is not an NBD server', async () => {
  await serve((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian-2'))
  await expect(openNbd(path, 'disk0')).rejects.toThrow('not an NBD server')
})

test('an NBD client whose server leaves in the greeting throws', async () => {
  await serve((socket) => socket.end('NBDMAGIC'))
  await expect(openNbd(path, 'disk0')).rejects.toThrow('ended')
})
