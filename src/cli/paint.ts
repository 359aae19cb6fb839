import picocolors from 'picocolors'

export interface Paint {
  good(text: string): string
  bad(text: string): string
  doubtful(text: string): string
  faint(text: string): string
  strong(text: string): string
}

/** Colours for a stream; none where it is no terminal or NO_COLOR is set (https://no-color.org). */
export function paintFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const noColor = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  const colors = picocolors.createColors(stream.isTTY === true && !noColor && env['TERM'] !== 'dumb')
  return {
    good: colors.green,
    bad: colors.red,
    doubtful: colors.yellow,
    faint: colors.dim,
    strong: colors.bold,
  }
}

/** The colour of an outcome. */
export function outcomePaint(outcome: string, paint: Paint): (text: string) => string {
  if (outcome === 'protected') return paint.good
  return outcome === 'partly protected' || outcome === 'cancelled' ? paint.doubtful : paint.bad
}
