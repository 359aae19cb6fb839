import type { OpenVolume } from '../../src/model/replication.ts'

/** What stands between the story and its ports: is given every call and decides what becomes of it. */
export type Intercept = (method: string, act: () => Promise<unknown>) => Promise<unknown>

/** The port with every call, and every unmount of a volume it opened, going through `between`. */
export function intercepted<Port extends object>(port: Port, between: Intercept): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function' || typeof name !== 'string') return value
      return async (...given: unknown[]) => {
        const answer = await between(name, async () => Reflect.apply(value, target, given))
        return isVolume(answer) ? volumeThrough(answer, between) : answer
      }
    },
  })
}

function isVolume(answer: unknown): answer is OpenVolume {
  return typeof answer === 'object' && answer !== null && Symbol.asyncDispose in answer
}

function volumeThrough(volume: OpenVolume, between: Intercept): OpenVolume {
  return {
    dir: volume.dir,
    open: volume.open,
    space: volume.space,
    async [Symbol.asyncDispose]() {
      await between('unmount', async () => volume[Symbol.asyncDispose]())
    },
  }
}
