import type { Plot } from '../figure.ts'
import { scaled } from './figures.ts'
import type { Reading } from './measure.ts'

/** How reading the inventory grows with the number of VMs, for us and in the other ways. */
export function plots(readings: readonly Reading[]): Plot[] {
  const line = (name: string, of: (reading: Reading) => number): Plot['series'][number] => ({
    name,
    points: readings.map((reading) => [reading.vms, of(reading)]),
  })
  const plot = (what: string, y: string, ...series: Plot['series']): Plot => ({
    name: `engine-${what.toLowerCase()}`,
    title: `${what} to plan, by number of VMs`,
    x: 'VMs',
    y,
    series,
    logarithmic: true,
  })
  return [
    plot(
      'Time',
      's',
      line('vmbackup', ({ ours }) => ours.seconds),
      line('script, VM by VM', (reading) => scaled(reading).seconds),
      line('all in one answer', ({ atOnce }) => atOnce.seconds),
    ),
    plot(
      'Requests',
      'requests',
      line('vmbackup', ({ ours }) => ours.requests),
      line('script, VM by VM', (reading) => scaled(reading).requests),
    ),
    plot(
      'Memory',
      'MiB',
      line('vmbackup', ({ ours }) => ours.peakMiB),
      line('all in one answer', ({ atOnce }) => atOnce.peakMiB),
    ),
  ]
}
