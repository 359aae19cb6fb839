import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/metrics/metrics.ts'
import { fullMetrics } from '../metrics/a-full-agent.ts'
import { anAgent, anRpo } from '../metrics/an-agent.ts'
import { ruleQueries, rulesText, shippedPath } from '../metrics/shipped.ts'

const promtool = (args: string[], input = '') => execa('promtool', args, { reject: false, all: true, input })
const good = { exitCode: 0 }

test('rules and the example of a scrape are well formed', async () => {
  expect(await promtool(['check', 'rules', shippedPath('prometheus/vmbackup.rules.yml')])).toMatchObject(good)
  const config = shippedPath('prometheus/prometheus.yml')
  expect(await promtool(['check', 'config', '--syntax-only', config])).toMatchObject(good)
})

test('what is scraped keeps the rules for names, units and help', async () => {
  const { metrics, tell } = fullMetrics()
  tell()
  const { text } = await metrics.text()
  expect(await promtool(['check', 'metrics'], text)).toMatchObject({ ...good, all: '' })
  const wrong = text.replaceAll('vmbackup_runs_total', 'vmbackup_runs')
  expect((await promtool(['check', 'metrics'], wrong)).all).toContain('vmbackup_runs')
})

test('it stays readable whatever a VM is called', async () => {
  const vms = ['a"b\\c\nd', '{}', 'ü 漢', ' ', '\u001b[31m'].map((name) => anRpo(name, { rpoMs: 1000 }))
  const { text } = await createMetrics(anAgent({ vms }).view).text()
  expect(await promtool(['check', 'metrics'], text)).toMatchObject({ ...good, all: '' })
})

test('every alert fires when it should, and not before', async () => {
  expect(await promtool(['test', 'rules', shippedPath('prometheus/vmbackup.rules.test.yml')])).toMatchObject(
    good,
  )
})

type Change = [from: RegExp, to: string]

/** Every number that decides, and what else may be cut from a condition without any other test noticing. */
const changes: Record<string, Record<string, Change>> = {
  'everything is told later': {
    VmbackupDown: [/for: 5m/, 'for: 6m'],
    VmbackupRpoBreached: [/> vmbackup_vm_rpo_seconds/, '> 2 * vmbackup_vm_rpo_seconds'],
    VmbackupRunMissed: [/> 600/, '> 660'],
    VmbackupRunTakesTooLong: [/> 3 \*/, '> 4 *'],
    VmbackupOwed: [/for: 1h/, 'for: 62m'],
    VmbackupOutboxFailing: [/for: 10m/, 'for: 11m'],
    VmbackupTrouble: [/> 900/, '> 960'],
  },
  'everything is told earlier': {
    VmbackupDown: [/for: 5m/, 'for: 4m'],
    VmbackupRpoBreached: [/> vmbackup_vm_rpo_seconds/, '> 0.5 * vmbackup_vm_rpo_seconds'],
    VmbackupRunMissed: [/> 600/, '> 540'],
    VmbackupRunTakesTooLong: [/> 3 \*/, '> 2 *'],
    VmbackupOwed: [/for: 1h/, 'for: 59m'],
    VmbackupOutboxFailing: [/for: 10m/, 'for: 9m'],
    VmbackupTrouble: [/> 900/, '> 840'],
  },
  'conditions lose a part': {
    VmbackupDown: [/ or absent\(up\{job="vmbackup"\}\)/, ''],
    VmbackupRpoBreached: [/vmbackup_job_rpo_vms\{rpo="breach"\}/, 'vmbackup_job_rpo_vms'],
    VmbackupRpoAboutToBreak: [/vmbackup_job_rpo_vms\{rpo="warning"\}/, 'vmbackup_job_rpo_vms'],
    VmbackupRunMissed: [/ *unless on .*queued.*\n/, ''],
    VmbackupRunTakesTooLong: [/14400/, '24400'],
    VmbackupLastRunNotProtected: [/\|cancelled/, ''],
  },
  'nothing fires': Object.fromEntries(
    ruleQueries().map(({ where }): [string, Change] => [
      where,
      [new RegExp(`alert: ${where}`), 'alert: Other'],
    ]),
  ),
}

test.each(Object.entries(changes))('the tests of the rules notice when %s', async (_what, changed) => {
  const dir = await mkdtemp(join(tmpdir(), 'vmbackup-rules-'))
  try {
    let rules = rulesText
    for (const [from, to] of Object.values(changed)) {
      expect(rules).toMatch(from)
      rules = rules.replace(from, to)
    }
    await writeFile(join(dir, 'vmbackup.rules.yml'), rules)
    await copyFile(shippedPath('prometheus/vmbackup.rules.test.yml'), join(dir, 'test.yml'))
    const { all } = await promtool(['test', 'rules', join(dir, 'test.yml')])
    const noticed = Object.keys(changed).filter((alert) => all.includes(`alertname=\\"${alert}\\"`))
    expect(noticed).toEqual(Object.keys(changed))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
