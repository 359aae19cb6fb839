import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** One disk of a running VM. Writes are acknowledged by qemu; only a flush makes them outlive the machine. */
export interface NbdDisk {
  sizeBytes: number
  read(offset: number, length: number): Promise<Buffer>
  write(offset: number, block: Buffer): Promise<void>
  flush(): Promise<void>
  close(): void
}

// Numbers of the NBD protocol: github.com/NetworkBlockDevice/nbd, doc/proto.md.
const optionMagic = 'IHAVEOPT'
const requestMagic = 0x25609513
const replyMagic = 0x67446698
const fixedNewstyleNoZeroes = 3
const optGo = 7
const replyAck = 1
const replyInfo = 3
const command = { read: 0, write: 1, disconnect: 2, flush: 3 } as const

/** Opens an export by name on a server's unix socket (fixed newstyle, OPT_GO). */
export async function openNbd(path: string, name: string): Promise<NbdDisk> {
  const socket = createConnection(path)
  const take = reader(socket)
  await once(socket, 'connect')
  const sizeBytes = await handshake(socket, take, name).catch((error: unknown) => {
    socket.destroy()
    throw error
  })
  const pending = new Map<
    number,
    { length: number; resolve(data: Buffer): void; reject(error: Error): void }
  >()
  let lastCookie = 0
  let ended: Error | undefined

  const ask = (type: number, offset: number, length: number, payload?: Buffer): Promise<Buffer> => {
    if (ended) return Promise.reject(ended)
    const cookie = ++lastCookie
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    pending.set(cookie, { length: type === command.read ? length : 0, resolve, reject })
    const request = Buffer.alloc(28)
    request.writeUInt32BE(requestMagic, 0)
    request.writeUInt16BE(type, 6)
    request.writeBigUInt64BE(BigInt(cookie), 8)
    request.writeBigUInt64BE(BigInt(offset), 16)
    request.writeUInt32BE(length, 24)
    socket.cork()
    socket.write(request)
    if (payload) socket.write(payload)
    socket.uncork()
    return promise
  }
  const answer = async () => {
    const reply = await take(16)
    const cookie = Number(reply.readBigUInt64BE(8))
    const request = pending.get(cookie)
    if (reply.readUInt32BE(0) !== replyMagic || !request) throw new Error('broken reply from the NBD server')
    const errno = reply.readUInt32BE(4)
    const data = errno === 0 ? await take(request.length) : reply
    pending.delete(cookie)
    if (errno === 0) request.resolve(data)
    else request.reject(new Error(`disk ${name} answered with error ${errno}`))
  }
  const answerAll = async () => {
    for (;;) await answer()
  }
  answerAll().catch((error: Error) => {
    ended = error
    for (const request of pending.values()) request.reject(error)
    socket.destroy()
  })

  return {
    sizeBytes,
    read: (offset, length) => ask(command.read, offset, length),
    async write(offset, block) {
      await ask(command.write, offset, block.length, block)
    },
    async flush() {
      await ask(command.flush, 0, 0)
    },
    close() {
      ask(command.disconnect, 0, 0).catch(() => undefined)
      socket.end()
    },
  }
}

type Take = (length: number) => Promise<Buffer>

async function handshake(socket: Socket, take: Take, name: string): Promise<number> {
  const greeting = await take(18)
  if (greeting.toString('latin1', 0, 16) !== `NBDMAGIC${optionMagic}`) throw new Error('not an NBD server')
  const hello = Buffer.alloc(4 + 16 + 4 + name.length + 2)
  hello.writeUInt32BE(fixedNewstyleNoZeroes, 0)
  hello.write(optionMagic, 4, 'latin1')
  hello.writeUInt32BE(optGo, 12)
  hello.writeUInt32BE(6 + name.length, 16)
  hello.writeUInt32BE(name.length, 20)
  hello.write(name, 24, 'latin1')
  socket.write(hello)
  let sizeBytes = 0
  for (;;) {
    const head = await take(20)
    const type = head.readUInt32BE(12)
    const body = await take(head.readUInt32BE(16))
    if (type === replyAck) return sizeBytes
    if (type !== replyInfo) throw new Error(`the NBD server does not serve ${name} (reply ${type})`)
    if (body.readUInt16BE(0) === 0) sizeBytes = Number(body.readBigUInt64BE(2))
  }
}

/** Hands out exactly the bytes asked for, in order; one asker at a time. */
function reader(socket: Socket): Take {
  const chunks: Buffer[] = []
  let available = 0
  let wanted: { length: number; resolve(data: Buffer): void; reject(error: Error): void } | undefined
  let ended: Error | undefined
  const serve = () => {
    if (!wanted || (available < wanted.length && !ended)) return
    const { length, resolve, reject } = wanted
    wanted = undefined
    if (available < length) return reject(ended ?? new Error('the NBD connection ended'))
    const all = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
    available -= length
    chunks.splice(0, chunks.length, all.subarray(length))
    resolve(all.subarray(0, length))
  }
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    available += chunk.length
    serve()
  })
  socket.on('error', (error) => {
    ended ??= error
    serve()
  })
  socket.on('close', () => {
    ended ??= new Error('the NBD connection ended')
    serve()
  })
  return (length) =>
    new Promise((resolve, reject) => {
      wanted = { length, resolve, reject }
      serve()
    })
}
