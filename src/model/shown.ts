// What comes from outside is put into messages, reports and names only through here: a terminal obeys control characters,
// and characters that turn the direction of writing show a text as another one.
const unfit = /[\s\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu

/** Foreign text on one line: without control characters, well-formed, and cut where it is longer. */
export function oneLine(text: string, longest = 600): string {
  // No more is looked at than can be shown, however long the text is.
  const line = text
    .slice(0, longest * 4)
    .toWellFormed()
    .replace(unfit, ' ')
    .trim()
  return line.length > longest || text.length > longest * 4 ? `${line.slice(0, longest)}...` : line
}

/** Foreign text in quotes, with all that is odd in it made visible. */
export function shown(text: string, longest = 60): string {
  const quoted = JSON.stringify(text.length > longest ? `${text.slice(0, longest)}...` : text)
  return quoted.replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
