import { openNbd } from './nbd.ts'
import { type WriteCount, WriteLoop } from './write-loop.ts'

/** What the lab asks of the process that writes for all its VMs. */
export type WriterRequest =
  | { act: 'start'; vm: string; socket: string; exports: string[]; rate: number; maxSlotsPerDisk: number }
  | { act: 'pause' | 'resume' | 'stop' | 'count' | 'stats'; vm: string }
  | { act: 'rate'; vm: string; rate: number }

export type WriterAnswer = { count: WriteCount } | { error: string }

const loops = new Map<string, WriteLoop>()

async function answer(request: WriterRequest): Promise<WriterAnswer> {
  if (request.act === 'start') await start(request)
  const loop = loops.get(request.vm)
  if (!loop) throw new Error(`no writer in VM ${request.vm}`)
  if (request.act === 'pause') await loop.pause()
  if (request.act === 'resume') loop.resume()
  if (request.act === 'rate') loop.setRate(request.rate)
  if (request.act === 'stop') {
    await loop.close()
    loops.delete(request.vm)
  }
  const count = loop.count()
  if (request.act === 'stats') loop.forgetStalls()
  return { count }
}

async function start(request: Extract<WriterRequest, { act: 'start' }>): Promise<void> {
  // A VM whose process died by itself left its loop behind.
  await loops.get(request.vm)?.close()
  loops.delete(request.vm)
  const disks = await Promise.all(request.exports.map((name) => openNbd(request.socket, name)))
  try {
    loops.set(request.vm, await WriteLoop.start(request.vm, disks, request))
  } catch (error) {
    for (const disk of disks) disk.close()
    throw error
  }
}

process.on('message', ({ id, request }: { id: number; request: WriterRequest }) => {
  answer(request)
    .catch((error: Error) => ({ error: error.message }))
    .then((answered) => process.send?.({ id, answer: answered }))
    .catch(() => process.exit(1))
})
process.on('disconnect', () => process.exit(0))
