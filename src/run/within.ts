/** What is told to end has so long to do so in good order; then it hangs, and is not waited for. */
export const graceMs = 120_000

/**
 * Waits for the promise until the signal is aborted, and `moreMs` longer, so that it can end in good order; then throws the signal's
 * reason. For what may hang without heeding a signal: a call into a file system whose client is stuck. What it does after
 * that is not waited for.
 */
export async function within<T>(promise: Promise<T>, signal: AbortSignal, moreMs = 0): Promise<T> {
  const late = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout | undefined
  const aborted = (): void => {
    timer = setTimeout(() => late.reject(signal.reason), moreMs)
  }
  if (signal.aborted) aborted()
  else signal.addEventListener('abort', aborted, { once: true })
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    signal.removeEventListener('abort', aborted)
    clearTimeout(timer)
  }
}
