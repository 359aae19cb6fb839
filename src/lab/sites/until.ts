import { setTimeout as pause } from 'node:timers/promises'

/** Asks again and again until the answer is truthy and returns it; throws after `deadlineMs`, naming `what`. */
export async function until<T>(
  what: string,
  deadlineMs: number,
  ask: () => Promise<T>,
  intervalMs = 150,
): Promise<NonNullable<T>> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error(`waited ${deadlineMs / 1000} s for ${what}`)
    await pause(intervalMs)
  }
}
