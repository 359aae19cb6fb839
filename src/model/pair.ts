/** The two volumes of a run, as the command line names them. */
export interface Pair {
  primary: string
  secondary: { user?: string; host: string; volume: string }
}

/** Under which a ledger keeps what is owed for the pair. */
export function nameOfPair({ primary, secondary }: Pair): string {
  return `${primary}--${secondary.host}--${secondary.volume}`
}
