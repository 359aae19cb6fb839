import { messageOf } from '../model/errors.ts'
import { type Selector, wordsOf } from '../model/selection.ts'
import { oneLine, shown } from '../model/shown.ts'
import { listOf } from './agent-kinds.ts'
import { type Kind, Wrong } from './kind.ts'

/** What picks VMs. */
export const selectors: Kind<Selector[]> = listOf(
  'all, policy (whatever has the tag of a policy), tag:TAG, cluster:NAME, name:PATTERN with * for anything, regex:EXPRESSION; several after commas: any of them',
  (text) => {
    const word = text.toLowerCase()
    if (word === 'all' || word === 'policy') return { by: word }
    const [, by = '', what = ''] = /^(tag|name|regex|cluster)\s*:\s*(.+)$/i.exec(text) ?? []
    switch (by.toLowerCase()) {
      case 'tag':
        return { by: 'tag', tag: what }
      case 'name':
        return { by: 'name', pattern: what }
      case 'cluster':
        return { by: 'cluster', cluster: what }
      case 'regex':
        return regex(what)
      default:
        return new Wrong(`${shown(text)} picks nothing`)
    }
  },
  wordsOf,
)

/** Names of disks. */
export const diskPatterns: Kind<string[]> = listOf(
  'DISK or VM/DISK, with * for anything; several after commas',
  (text) => (text.length > 300 ? new Wrong('is too long') : text),
  (value) => value,
)

function regex(pattern: string): Selector | Wrong {
  try {
    new RegExp(pattern, 'i')
    return { by: 'regex', pattern }
  } catch (error) {
    return new Wrong(`${shown(pattern)} is not an expression (${oneLine(messageOf(error), 120)})`)
  }
}
