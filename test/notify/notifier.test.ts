import { describe, expect, test } from 'vitest'
import { NotSent } from '../../src/notify/channel.ts'
import { aDesk } from './a-desk.ts'
import { anAlert, aRoute } from './an-alert.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const ops = 'webhook ops'
const boss = 'webhook boss'
const routes = [
  aRoute('ops', { webhook: 'https://ops.example.com/' }),
  aRoute('boss', { webhook: 'https://boss.example.com/', severity: 'warning' }),
]

const away = () => {
  throw new NotSent('nobody is there', { certain: true })
}
const refuses = () => {
  throw new NotSent('HTTP 404', { certain: true, answered: true, final: true })
}

describe('a notifier', () => {
  test('sends what it is told at once, to all whom it concerns', async () => {
    const desk = aDesk(routes)
    const { notifier } = desk.open()
    notifier.tell(anAlert({ title: 'all is well', severity: 'normal' }))
    notifier.tell(anAlert({ title: 'fire', severity: 'alert' }))
    await desk.clock.pass(0)
    expect(desk.titles(ops)).toEqual(['all is well', 'fire'])
    expect(desk.titles(boss)).toEqual(['fire'])
    expect(notifier.counts()).toEqual({ waiting: 0, failing: 0, givenUp: 0 })
  })

  test('sends after a restart what was told before it worked, and nothing twice', async () => {
    const desk = aDesk(routes)
    const alert = anAlert({ title: 'fire' })
    const first = desk.open()
    await first.end()
    const second = desk.open()
    second.notifier.tell(alert)
    await second.end()
    const third = desk.open()
    third.notifier.tell(alert)
    await desk.clock.pass(hourMs)
    expect(desk.titles(ops)).toEqual(['fire'])
  })

  test('keeps one receiver waiting for no other that hangs', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, () => new Promise(() => undefined))
    const { notifier } = desk.open()
    notifier.tell(anAlert({ title: 'fire' }))
    await desk.clock.pass(minuteMs)
    notifier.tell(anAlert({ title: 'flood' }))
    await desk.clock.pass(minuteMs)
    expect(desk.titles(boss)).toEqual(['fire', 'flood'])
    expect(desk.tries.filter((key) => key === ops)).toHaveLength(1)
  })

  test('tries again with growing pauses until it works, then sends what has gathered', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, away)
    const { notifier } = desk.open()
    notifier.tell(anAlert({ matter: 'rpo web', kind: 'rpo breach', title: 'web is behind' }))
    await desk.clock.pass(0)
    const tried = () => desk.tries.filter((key) => key === ops).length
    const counts = []
    for (let minute = 1; minute <= 15; minute += 1) {
      await desk.clock.pass(minuteMs)
      counts.push(tried())
    }
    expect(counts).toEqual([2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5])
    expect(notifier.counts()).toMatchObject({ waiting: 1, failing: 1 })
    notifier.tell(
      anAlert({ matter: 'rpo web', kind: 'rpo clear', severity: 'normal', title: 'web is in time' }),
    )
    desk.faults.clear()
    await desk.clock.pass(hourMs)
    expect(desk.titles(ops)).toEqual(['web is in time'])
    expect(desk.inbox(ops)[0]?.text).toContain('web is behind')
    expect(notifier.counts()).toMatchObject({ waiting: 0, failing: 0 })
  })

  test('goes on with the pauses after a restart', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, away)
    const first = desk.open()
    first.notifier.tell(anAlert())
    await desk.clock.pass(8 * minuteMs)
    await first.end()
    const before = desk.tries.length
    const second = desk.open()
    await desk.clock.pass(5 * minuteMs)
    expect(desk.tries).toHaveLength(before)
    expect(second.notifier.troubles()).toEqual([
      { matter: ops, since: '2026-11-21T12:00:00.000Z', what: 'nobody is there' },
    ])
  })

  test('gives up after a week, and says so to the others', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, away)
    const { notifier } = desk.open()
    notifier.tell(anAlert({ title: 'fire' }))
    await desk.clock.pass(6 * 24 * hourMs)
    expect(notifier.counts()).toMatchObject({ waiting: 1, givenUp: 0 })
    await desk.clock.pass(25 * hourMs)
    expect(notifier.counts()).toEqual({ waiting: 0, failing: 0, givenUp: 1 })
    const last = desk.inbox(boss).at(-1)
    expect(last?.title).toBe('a message for route ops by webhook will never be sent')
    expect(last?.text).toContain('fire')
  })

  test('says once that a route cannot be reached, and once that it can again: to the others', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, away)
    const { notifier } = desk.open()
    notifier.tell(anAlert({ title: 'all is well', severity: 'normal' }))
    await desk.clock.pass(2 * minuteMs)
    expect(desk.titles(boss)).toEqual([])
    await desk.clock.pass(5 * hourMs)
    expect(desk.titles(boss)).toEqual(['route ops cannot be told by webhook'])
    expect(desk.inbox(boss)[0]).toMatchObject({ kind: 'trouble', severity: 'warning' })
    desk.faults.clear()
    await desk.clock.pass(hourMs)
    expect(desk.titles(boss)).toEqual([
      'route ops cannot be told by webhook',
      'route ops is told by webhook again',
    ])
    expect(desk.titles(ops)).toEqual(['all is well'])
    expect(notifier.troubles()).toEqual([])
  })

  test('says it once also of a route with several addresses, and not before all of them are reached', async () => {
    const desk = aDesk([aRoute('ops', { mail: ['a@example.com', 'b@example.com'] }), ...routes.slice(1)])
    desk.faults.set('mail ops a@example.com', away)
    const { notifier } = desk.open()
    notifier.tell(anAlert({ severity: 'normal' }))
    await desk.clock.pass(minuteMs)
    desk.faults.set('mail ops b@example.com', away)
    notifier.tell(anAlert({ severity: 'normal' }))
    await desk.clock.pass(hourMs)
    expect(desk.titles(boss)).toEqual(['route ops cannot be told by mail'])
    desk.faults.delete('mail ops a@example.com')
    await desk.clock.pass(2 * hourMs)
    expect(desk.titles(boss)).toHaveLength(1)
    desk.faults.clear()
    await desk.clock.pass(2 * hourMs)
    expect(desk.titles(boss)).toEqual(['route ops cannot be told by mail', 'route ops is told by mail again'])
  })

  test('gives up at once what is refused for good, and goes on with the next', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, refuses)
    const { notifier } = desk.open()
    notifier.tell(anAlert({ title: 'all is well', severity: 'normal' }))
    await desk.clock.pass(0)
    expect(notifier.counts()).toEqual({ waiting: 0, failing: 0, givenUp: 1 })
    expect(notifier.troubles()).toMatchObject([{ matter: ops, what: 'HTTP 404' }])
    expect(desk.titles(boss)).toEqual(['a message for route ops by webhook will never be sent'])
    desk.faults.clear()
    notifier.tell(anAlert({ title: 'all is well again', severity: 'normal' }))
    await desk.clock.pass(0)
    expect(desk.titles(ops)).toEqual(['all is well again'])
    expect(desk.titles(boss).at(-1)).toBe('route ops is told by webhook again')
  })

  test('ends although all routes refuse everything, each of what the other refused', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, refuses)
    desk.faults.set(boss, refuses)
    const { notifier } = desk.open()
    notifier.tell(anAlert())
    await desk.clock.pass(24 * hourMs)
    expect(desk.tries.length).toBeLessThanOrEqual(4)
    expect(notifier.counts().waiting).toBe(0)
  })

  test('folds a storm into few messages, and tells of all of it', async () => {
    const desk = aDesk([routes[0] ?? aRoute('ops')], { foldAbove: 3 })
    const { notifier } = desk.open()
    for (let n = 0; n < 59; n += 1) {
      notifier.tell(anAlert())
      await desk.clock.pass(10_000)
    }
    // Not quite ten minutes of a message every ten seconds.
    expect(desk.inbox(ops)).toHaveLength(3)
    await desk.clock.pass(10 * minuteMs)
    const parts = desk.inbox(ops).map(({ letters }) => letters.length)
    expect(parts.slice(0, 3)).toEqual([1, 1, 1])
    expect(parts.length).toBeLessThanOrEqual(6)
    expect(parts.reduce((sum, count) => sum + count, 0)).toBe(59)
    expect(desk.inbox(ops).at(3)?.kind).toBe('folded')
  })

  test('gives up what waits for a route that is configured no more, and says so to the others', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, away)
    const first = desk.open()
    first.notifier.tell(anAlert({ title: 'all is well', severity: 'normal' }))
    await first.end()
    const later = aDesk(routes.slice(1), { file: desk.file })
    const { notifier } = later.open()
    await later.clock.pass(0)
    expect(later.titles(boss)).toEqual(['a message for route ops by webhook will never be sent'])
    expect(notifier.troubles()).toEqual([])
  })
})
