import type { Alert, Severity } from '../model/alert.ts'

/** What is told of: an alert, or the summary of a route. Plain data: it is kept. */
export type Letter = Omit<Alert, 'kind'> & { kind: Alert['kind'] | 'digest' }

const weights: Record<Severity, number> = { normal: 0, warning: 1, alert: 2 }

/** Negative when `one` is less grave than `other`. */
export function compareSeverity(one: Severity, other: Severity): number {
  return weights[one] - weights[other]
}

/** What was written down, read again; what cannot be read becomes a letter that says so, since somebody waits for it. */
export function letterIn(text: string, id: string): Letter {
  try {
    const letter: unknown = JSON.parse(text)
    if (isLetter(letter)) return letter
  } catch {
    // Told below.
  }
  return {
    id,
    matter: 'alerts',
    kind: 'trouble',
    severity: 'alert',
    at: 0,
    title: 'an alert cannot be read any more',
    text: 'It was written down, but what is in the state file is damaged. Look at `vmbackup status`, and check the disk under [state] dir.',
  }
}

function isLetter(value: unknown): value is Letter {
  if (typeof value !== 'object' || value === null) return false
  const { id, matter, kind, severity, at, title, text, job, vm, run } = value as Record<string, unknown>
  const words = [id, matter, kind, severity, title, text].every((one) => typeof one === 'string')
  const names = [job, vm, run].every((one) => one === undefined || typeof one === 'string')
  const isTime = typeof at === 'number' && !Number.isNaN(new Date(at).getTime())
  return words && names && isTime && Object.hasOwn(weights, String(severity))
}
