const anyId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi
/** Longer than any word of a document; an id alone takes so many characters of base64. */
const leastEncoded = 48
const escapedBreak = /&#(?:1[03]|x[AaDd]);/g
/** A document, and the configurations kept within it. */
const deepest = 2

/** Every UUID that occurs in the text, also within base64: a VM's document keeps the configuration of each snapshot so. */
export function idsIn(text: string, depth = deepest): Set<string> {
  const plain = text.replace(escapedBreak, '\n')
  const ids = new Set((plain.match(anyId) ?? []).map((id) => id.toLowerCase()))
  if (depth === 0) return ids
  for (const run of encodedIn(plain)) {
    for (const id of idsIn(Buffer.from(run, 'base64').toString('latin1'), depth - 1)) ids.add(id)
  }
  return ids
}

/** Runs of base64 from their first full line on. Not by one expression: over some ten MiB its backtracking overflows. */
function encodedIn(text: string): string[] {
  return text.split(/[^A-Za-z0-9+/\r\n]+/).flatMap((piece) => {
    const lines = piece.split(/[\r\n]+/)
    const first = lines.findIndex((line) => line.length >= leastEncoded)
    return first < 0 ? [] : [lines.slice(first).join('')]
  })
}
