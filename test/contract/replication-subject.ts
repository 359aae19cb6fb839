import { lstat, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Checkpoint, OpenVolume, Progress, Replication } from '../../src/model/replication.ts'

/** One implementation under test, on a pair of volumes that nobody else uses. */
export interface Subject extends AsyncDisposable {
  replication: Replication
  /** The path of a new empty directory. */
  emptyDir(): Promise<string>
  /** Time between two looks. */
  paceMs: number
  /** How long one session is waited for before it is stopped and started again. */
  turnMs: number
  /** How long "nothing happens" is watched. */
  quietMs: number
}

/** How the contract drives a subject, which is there only when the tests run. */
export function driverOf(subject: () => Subject, signal: AbortSignal) {
  async function onPrimary<T>(use: (volume: OpenVolume) => Promise<T>): Promise<T> {
    await using volume = await subject().replication.openPrimary(await subject().emptyDir(), signal)
    return await use(volume)
  }

  async function onSecondary<T>(use: (dir: string) => Promise<T>): Promise<T> {
    await using volume = await subject().replication.openSecondary(await subject().emptyDir(), signal)
    return await use(volume.dir)
  }

  async function reach(volume: OpenVolume, since: Checkpoint): Promise<void> {
    let last: Progress | undefined
    for (let turn = 0; turn < 4; turn += 1) {
      await subject().replication.start(signal)
      const end = Date.now() + subject().turnMs
      while (Date.now() < end) {
        await subject().replication.nudge(volume, signal)
        last = await subject().replication.progress(since, signal)
        if (last.state === 'reached') return
        await pause(subject().paceMs)
      }
      await subject().replication.stop(signal)
    }
    throw new Error(`the checkpoint was not reached: ${JSON.stringify(last)}`)
  }

  const mark = async (): Promise<Checkpoint> => {
    await subject().replication.mark(signal)
    return subject().replication.marked(signal)
  }

  const cycle = () =>
    onPrimary(async (volume) => {
      await reach(volume, await mark())
      await subject().replication.stop(signal)
    })

  const write = (path: string, content: string | Buffer) =>
    onPrimary(({ dir }) => writeFile(join(dir, path), content))

  return { onPrimary, onSecondary, cycle, mark, write }
}

export async function writeAt(path: string, text: string, position: number): Promise<void> {
  await using file = await open(path, 'r+')
  await file.write(text, position)
  await file.sync()
}

export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}

export async function eventually(subject: Subject, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + subject.turnMs
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not so within ${subject.turnMs} ms`)
    await pause(subject.paceMs)
  }
}
