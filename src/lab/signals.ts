/**
 * Calls the listener at each of these signals, until disposed. It stays after the first one: execa ends this process when its own
 * listeners find themselves alone, and what was started would be left.
 */
export function onSignals<Name extends NodeJS.Signals>(
  names: readonly Name[],
  listener: (name: Name) => void,
): Disposable {
  const heard = (name: NodeJS.Signals): void => listener(name as Name)
  for (const name of names) process.on(name, heard)
  return {
    [Symbol.dispose]() {
      for (const name of names) process.off(name, heard)
    },
  }
}
