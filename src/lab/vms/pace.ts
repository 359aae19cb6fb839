const firstMs = 10_000
const everyMs = 5_000
const slowest = 10

/**
 * Runs a merge and slows its guest while it lasts too long: halved after 10 s and every 5 s from there, at least 10
 * writes per second. Else a guest that writes faster than the storage takes it would keep a merge from ever ending.
 */
export async function slowingDown(
  writesPerSecond: number,
  setRate: (writesPerSecond: number) => Promise<unknown>,
  merge: () => Promise<void>,
): Promise<void> {
  let rate = writesPerSecond
  const slowDown = () => {
    rate = Math.max(Math.min(slowest, writesPerSecond), rate / 2)
    setRate(rate).catch(() => undefined)
    timer = setTimeout(slowDown, everyMs)
  }
  let timer = setTimeout(slowDown, firstMs)
  try {
    await merge()
  } finally {
    clearTimeout(timer)
    if (rate !== writesPerSecond) await setRate(writesPerSecond).catch(() => undefined)
  }
}
