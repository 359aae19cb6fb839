/** Something that is done beside the loop, at most once at a time and every so often by the clock that each call is given. */
export function everySoOften(
  everyMs: number,
  act: () => Promise<void>,
  ends: { failed(error: unknown): void; done(): void },
): (now: number) => void {
  let last = Number.NEGATIVE_INFINITY
  let going = false
  return (now) => {
    // A clock that was set back must not keep it from being done.
    if (going || Math.abs(now - last) < everyMs) return
    last = now
    going = true
    void act()
      .catch(ends.failed)
      .finally(() => {
        going = false
        ends.done()
      })
  }
}
