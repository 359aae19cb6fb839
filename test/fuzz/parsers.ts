import { commandLineParsers } from './command-line.ts'
import { configurationParsers } from './configuration.ts'
import { domainParsers } from './domain.ts'
import { engineParsers } from './engine.ts'
import { glusterParsers } from './gluster.ts'
import { ledgerParsers } from './ledger.ts'
import { outboxParsers } from './outbox.ts'
import type { Parser } from './parser.ts'
import { pointParsers } from './points.ts'

/** Every reader of text or bytes that come from outside. */
export const parsers: readonly Parser[] = [
  ...commandLineParsers,
  ...configurationParsers,
  ...glusterParsers,
  ...engineParsers,
  ...domainParsers,
  ...pointParsers,
  ...ledgerParsers,
  ...outboxParsers,
]
