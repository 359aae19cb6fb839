import type { Metrics } from '../../src/metrics/metrics.ts'

export interface Series {
  name: string
  labels: Record<string, string>
  value: number
}

/** Reads Prometheus' text format, as far as the metrics use it. */
export function readSeries(text: string): Series[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      if (name === '') throw new Error(`no series: ${line}`)
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
      return { name, labels: Object.fromEntries(pairs.map(([, key, of]) => [key, of])), value: Number(value) }
    })
}

/** The series of one name, as `label=value,...` to value. */
export async function seriesOf(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const { text } = await metrics.text()
  const found = readSeries(text).filter((one) => one.name === name)
  return Object.fromEntries(
    found.map(({ labels, value }) => [
      Object.entries(labels)
        .map(([key, of]) => `${key}=${of}`)
        .join(','),
      value,
    ]),
  )
}
