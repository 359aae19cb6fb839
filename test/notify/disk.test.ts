import { mkdirSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { NotSent } from '../../src/notify/channel.ts'
import { Outbox } from '../../src/notify/outbox.ts'
import { aDesk } from './a-desk.ts'
import { anAlert, aRoute } from './an-alert.ts'

const minuteMs = 60_000
const ops = 'webhook ops'
const boss = 'webhook boss'
const routes = [
  aRoute('ops', { webhook: 'https://ops.example.com/' }),
  aRoute('boss', { webhook: 'https://boss.example.com/', severity: 'alert' }),
]

/** As on a disk that was made read-only: reading goes on, writing does not, since there can be no journal. */
function makeReadOnly(file: string): () => void {
  rmSync(`${file}-journal`)
  mkdirSync(`${file}-journal`)
  return () => rmSync(`${file}-journal`, { recursive: true })
}

/** As with a disk that has no room for one thing: a letter, or the note that it was sent. */
function makeFail(file: string, event: string): () => void {
  const run = (sql: string) => {
    using db = new DatabaseSync(file)
    db.exec(sql)
  }
  run(`CREATE TRIGGER fails BEFORE ${event} BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
  return () => run('DROP TRIGGER fails')
}

describe('on a disk that takes nothing', () => {
  test.each([
    ['a read-only one', makeReadOnly],
    ['a full one', (file: string) => makeFail(file, 'INSERT ON outbox_telling')],
  ])('(%s) alerts are sent all the same, and it is told of', async (_what, spoil) => {
    const desk = aDesk(routes)
    const { notifier } = desk.open()
    await desk.clock.pass(0)
    const heal = spoil(desk.file)
    notifier.tell(anAlert({ title: 'fire', severity: 'alert' }))
    await desk.clock.pass(minuteMs)
    expect(desk.titles(ops).toSorted()).toEqual(['alerts cannot be written down', 'fire'])
    expect(desk.titles(boss).toSorted()).toEqual(['alerts cannot be written down', 'fire'])
    expect(notifier.troubles()).toMatchObject([{ matter: 'alerts', since: '2026-11-21T12:00:00.000Z' }])
    heal()
    await desk.clock.pass(20 * minuteMs)
    expect(desk.titles(ops).at(-1)).toBe('alerts are written down again')
    expect(notifier.troubles()).toEqual([])
  })

  test('what waits is on it when it takes something again, and so is what was told meanwhile', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, () => {
      throw new NotSent('nobody is there', { certain: true })
    })
    const { notifier, end } = desk.open()
    await desk.clock.pass(0)
    const heal = makeReadOnly(desk.file)
    const alert = anAlert({ title: 'fire', severity: 'alert' })
    notifier.tell(alert)
    notifier.tell(alert)
    await desk.clock.pass(minuteMs)
    heal()
    await desk.clock.pass(minuteMs)
    await end()
    using outbox = new Outbox(desk.file)
    expect(outbox.waiting(ops).map(({ letter }) => letter.title)).toContain('fire')
    expect(outbox.take(alert, [{ route: 'boss', channel: 'webhook' }], 0)).toBe(false)
    expect(desk.titles(boss).filter((title) => title === 'fire')).toHaveLength(1)
  })

  test('what was told meanwhile is not taken again when the disk is well and the memory still at it', async () => {
    const desk = aDesk(routes)
    desk.faults.set(ops, () => new Promise(() => undefined))
    const { notifier } = desk.open()
    await desk.clock.pass(0)
    const heal = makeReadOnly(desk.file)
    const alert = anAlert({ title: 'fire', severity: 'alert' })
    notifier.tell(alert)
    await desk.clock.pass(minuteMs)
    heal()
    notifier.tell(alert)
    await desk.clock.pass(minuteMs)
    expect(desk.titles(boss).filter((title) => title === 'fire')).toHaveLength(1)
  })

  test('a message that was sent is not sent again because that could not be written down', async () => {
    const desk = aDesk(routes)
    const { notifier } = desk.open()
    await desk.clock.pass(0)
    const heal = makeFail(desk.file, 'DELETE ON outbox_telling')
    notifier.tell(anAlert({ title: 'good news', severity: 'normal' }))
    await desk.clock.pass(30 * minuteMs)
    expect(desk.titles(ops).filter((title) => title === 'good news')).toHaveLength(1)
    heal()
    await desk.clock.pass(30 * minuteMs)
    expect(desk.titles(ops).filter((title) => title === 'good news')).toHaveLength(1)
    expect(notifier.counts()).toEqual({ waiting: 0, failing: 0, givenUp: 0 })
  })
})
