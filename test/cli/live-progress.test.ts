import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { liveProgress } from '../../src/cli/live-progress.ts'
import { paintFor } from '../../src/cli/paint.ts'
import type { RunEvent } from '../../src/run/event.ts'

function aTerminal(columns: number | undefined) {
  const written: string[] = []
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 24 })
  stream.on('data', (chunk: Buffer) => void written.push(chunk.toString()))
  return {
    // The parts of a terminal that are used here.
    stream: stream as unknown as NodeJS.WriteStream,
    raw: () => written.join(''),
    text: () => stripVTControlCharacters(written.join('')),
  }
}

function shown(
  events: RunEvent[],
  { columns = 80 as number | undefined, env = {} as NodeJS.ProcessEnv } = {},
) {
  const terminal = aTerminal(columns)
  let now = 0
  const progress = liveProgress(terminal.stream, paintFor(terminal.stream, env), () => now)
  for (const event of events) {
    now += 1_000
    progress.show(event)
  }
  const live = terminal.text()
  progress.end()
  return { live, raw: terminal.raw() }
}

const began: RunEvent = { kind: 'step began', step: 'replicate' }
const waiting: RunEvent = { kind: 'waiting', what: 'checkpoint on 1 of 3 bricks' }

describe('on a terminal', () => {
  test('the step that goes on is shown with its time, what it waits for and how many VMs are through', () => {
    const vm: RunEvent = { kind: 'vm', vm: { id: '1', name: 'web' }, did: 'merged', done: 1, of: 3 }
    const { live } = shown([{ kind: 'run began', run: 'R' }, began, waiting, vm])
    expect(live).toContain('run R\n')
    expect(live).toMatch(
      /> replicate 2\.0 s {2}1\/3 VMs {2}run 4\.0 s\n {2}waiting for checkpoint on 1 of 3 bricks/,
    )
  })

  test('how long it will still take is shown where that is known, also when the line below is cut', () => {
    const event = (leftMs?: number): RunEvent => ({
      kind: 'waiting',
      what: 'data'.repeat(40),
      ...(leftMs === undefined ? {} : { leftMs }),
    })
    const known = shown([began, event(185_000)], { columns: 60 })
    expect(known.live).toMatch(/> replicate 1\.0 s .*about 3 min left .*run 2\.0 s/)
    expect(
      shown([began, event(185_000), event()])
        .live.split('replicate')
        .at(-1),
    ).not.toContain('left')
  })

  test('a step that ended stays as a line, marked by how it ended', () => {
    const { live } = shown([
      began,
      { kind: 'step ended', step: 'replicate', ms: 1_000 },
      { kind: 'step began', step: 'merge' },
      { kind: 'step ended', step: 'merge', ms: 2_000, error: 'no' },
    ])
    expect(live).toContain('✔ replicate: 1.0 s\n')
    expect(live).toContain('✘ merge: failed after 2.0 s: no\n')
  })

  test('warnings and what is left stay', () => {
    const { live } = shown([
      { kind: 'note', severity: 'warning', text: 'beware' },
      { kind: 'left open', what: 'stop', why: 'no answer' },
    ])
    expect(live).toContain('warning: beware\n')
    expect(live).toContain('still owed: stop: no answer\n')
  })

  test('with NO_COLOR nothing is coloured', () => {
    const colour = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`)
    const events: RunEvent[] = [began, { kind: 'step ended', step: 'replicate', ms: 1 }]
    expect(shown(events).raw).toMatch(colour)
    expect(shown(events, { env: { NO_COLOR: '1' } }).raw).not.toMatch(colour)
  })

  test.each([20, 40, 80])('what is waited for is cut to %d columns, wide characters counted', (columns) => {
    const { live } = shown([began, { kind: 'waiting', what: 'データ'.repeat(40) }], { columns })
    const line = live.split('\n').find((text) => text.includes('waiting'))
    expect(line?.trimEnd()).toMatch(/…$/)
    const width = [...(line?.trimEnd() ?? '')].reduce((sum, one) => sum + (one > '\u2fff' ? 2 : 1), 0)
    expect(width).toBeLessThanOrEqual(columns)
  })

  test.each([0, 1, 3, 4, 5, undefined])('a terminal that claims %s columns holds nothing up', (columns) => {
    const ended: RunEvent = { kind: 'step ended', step: 'replicate', ms: 1_000 }
    expect(shown([began, waiting, ended], { columns }).live).toContain('✔ replicate: 1.0 s\n')
  })
})
