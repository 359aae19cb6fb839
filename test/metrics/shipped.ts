import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const docker = join(import.meta.dirname, '../../docker')

/** The file, below `docker/`. */
export function shippedPath(name: string): string {
  return join(docker, name)
}

/** One query that ships, and the labels that the text beside it shows. */
export interface Query {
  where: string
  expr: string
  shows: string[]
}

interface Panel {
  title: string
  type: string
  targets?: { expr: string; legendFormat: string }[]
}

export const dashboard: { schemaVersion: number; panels: Panel[] } = JSON.parse(
  readFileSync(shippedPath('grafana/vmbackup.json'), 'utf8'),
)

export const rulesText = readFileSync(shippedPath('prometheus/vmbackup.rules.yml'), 'utf8')

/** Every query of every panel. */
export function dashboardQueries(): Query[] {
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      where: title,
      expr,
      shows: words(legendFormat, /\{\{(\w+)\}\}/g),
    })),
  )
}

/** Every alert's condition. The file is ours: its form is known. */
export function ruleQueries(): Query[] {
  return rulesText
    .split('- alert: ')
    .slice(1)
    .map((rule) => ({
      where: /^\w+/.exec(rule)?.[0] ?? '',
      expr: /expr: (?:>-)?([\s\S]*?)\n {8}(?:for|labels):/.exec(rule)?.[1]?.trim() ?? '',
      shows: words(rule, /\$labels\.(\w+)/g),
    }))
}

/** All of what the first group of the expression finds. */
export function words(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, word = '']) => word)
}
