const anyId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi
/** Longer than any word of a document; an id alone takes 48 characters of base64. */
const encoded = /[A-Za-z0-9+/]{48,}(?:[\r\n]+[A-Za-z0-9+/]+)*/g
const escapedBreak = /&#(?:1[03]|x[AaDd]);/g
/** A document, and the configurations kept within it. */
const deepest = 2

/** Every UUID that occurs in the text, also within base64: a VM's document keeps the configuration of each snapshot so. */
export function idsIn(text: string, depth = deepest): Set<string> {
  const plain = text.replace(escapedBreak, '\n')
  const ids = new Set((plain.match(anyId) ?? []).map((id) => id.toLowerCase()))
  if (depth === 0) return ids
  for (const run of plain.match(encoded) ?? []) {
    for (const id of idsIn(Buffer.from(run, 'base64').toString('latin1'), depth - 1)) ids.add(id)
  }
  return ids
}
