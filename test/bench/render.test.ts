import { expect, test } from 'vitest'
import type { Chapter, Figure } from './figure.ts'
import { svgOf } from './plot.ts'
import { chapterMarkdown, chapterText, misses } from './render.ts'

const fast: Figure = {
  what: 'a cycle',
  ours: { value: 10.94, unit: 's' },
  theirs: { who: 'the script', value: 62.5, unit: 's' },
  ratio: { value: 5.713, words: 'times as fast' },
  goal: { of: 'ratio', must: 'be at least', limit: 5 },
}
const chapter = (...figures: Figure[]): Chapter => ({
  name: 'replication',
  title: 'Replication',
  seconds: 1,
  figures,
  how: 'Measured.',
})

test('a goal that was missed is told with what it should have been', () => {
  const slow = { ...fast, ratio: { value: 4.98, words: 'times as fast' } }
  const large: Figure = {
    what: 'memory',
    ours: { value: 215, unit: 'MiB' },
    goal: { of: 'ours', must: 'be at most', limit: 200 },
  }
  expect(misses([chapter(fast, slow), chapter(large)])).toEqual([
    'replication: a cycle: 4.98 times as fast, should be at least 5',
    'replication: memory: 215 MiB, should be at most 200 MiB',
  ])
})

test('a figure is a row: ours, theirs, how they compare, and whether that is enough', () => {
  expect(chapterText(chapter(fast))).toContain(
    'a cycle  10.9 s  the script: 62.5 s  5.71 times as fast  be at least 5  yes',
  )
  expect(chapterMarkdown(chapter(fast))).toContain(
    '| a cycle | 10.9 s | the script: 62.5 s | 5.71 times as fast | be at least 5 | yes |',
  )
})

test('a plot is an SVG document with all its series', () => {
  const series = [
    { name: 'ours', points: [[1000, 2] as [number, number]] },
    { name: 'theirs', points: [[1000, 20] as [number, number]] },
  ]
  const svg = svgOf({ name: 'x', title: 'Time', x: 'VMs', y: 'seconds', series })
  expect(svg).toMatch(/^<svg [\s\S]*>ours<[\s\S]*>theirs<[\s\S]*<\/svg>\n$/)
})
