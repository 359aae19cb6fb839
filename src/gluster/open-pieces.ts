import type { FileHandle } from 'node:fs/promises'

/** As many as are read at the same time, and some more. */
const mostOpen = 8

interface Held {
  handle: Promise<FileHandle | undefined>
  readers: number
}

/** The pieces of a file that are open; each is opened when it is read and stays open until others were read after it. */
export interface OpenPieces extends AsyncDisposable {
  /** Reads a piece by its number, also while others are read; undefined is given for a hole. Throws what opening throws. */
  using<T>(index: number, read: (handle: FileHandle | undefined) => Promise<T>): Promise<T>
}

/** Opens pieces by `open`, which gives undefined for a hole. */
export function openPieces(open: (index: number) => Promise<FileHandle | undefined>): OpenPieces {
  // In the order in which they were asked for last.
  const held = new Map<number, Held>()

  const closeSome = async (most: number): Promise<void> => {
    for (const [index, { handle, readers }] of held) {
      if (held.size <= most) return
      if (readers > 0) continue
      held.delete(index)
      await (await handle)?.close()
    }
  }
  return {
    async using(index, read) {
      const one = held.get(index) ?? { handle: open(index), readers: 0 }
      held.delete(index)
      held.set(index, one)
      one.readers += 1
      try {
        const handle = await one.handle.catch((error: unknown) => {
          // Who asks next tries again.
          if (held.get(index) === one) held.delete(index)
          throw error
        })
        return await read(handle)
      } finally {
        one.readers -= 1
        await closeSome(mostOpen)
      }
    },
    [Symbol.asyncDispose]: () => closeSome(0),
  }
}
