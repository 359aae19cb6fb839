import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { leftovers } from '../../src/lab/demo/proof.ts'
import type { Report } from '../../src/run/report.ts'
import { inNode, labFor } from './agent.ts'
import { recoverAgent } from './crash.ts'

const script = join(import.meta.dirname, 'limited-run.ts')
const node24 = join(import.meta.dirname, '../../node_modules/.bin/node')
const limit = 8 * 1024 * 1024
/** So much is new for a run, beside what guests write. */
const newBytes = 64 * 1024 * 1024

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-bandwidth', '--vms', '1', '--rate', '10')
  await session('config', 'rsync-options', ' --timeout=900')
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

function session(...words: string[]): Promise<string> {
  return lab.run(
    'gp1',
    'gluster',
    '--mode=script',
    'volume',
    'geo-replication',
    'data',
    'gs1::data-dr',
    ...words,
  )
}

/** All that is set for the session itself, but for the checkpoint. */
async function settings(): Promise<string[]> {
  const text = await inNode(lab, 'gp1', 'cat /var/lib/glusterd/geo-replication/data_gs1_data-dr/gsyncd.conf')
  // gsyncd drops the blank before a value when it writes the file the next time.
  const lines = text.split('\n').map((line) => line.replace(/ = +/, ' = '))
  return lines.filter((line) => line.includes('=') && !/^(checkpoint|stime)/.test(line))
}

/** What the network interface of the secondary has taken in, and when (milliseconds since it came up). */
async function received(): Promise<{ at: number; bytes: number }> {
  // In one go: on a busy machine the answer comes late.
  const text = await lab.run('gs1', 'cat', '/proc/uptime', '/proc/net/dev')
  return { at: Number.parseFloat(text) * 1000, bytes: Number(/eth0:\s*(\d+)/.exec(text)?.[1]) }
}

/** One run; the most that the secondary took in per second over any five seconds of its replication, and all of it. */
async function run(rate: number, killed = '') {
  const { primary, secondary, config } = lab.status
  const words = [config, primary.volume, secondary.host ?? '', secondary.volume, `${rate}`, killed]
  const [file, ...args] = lab.at('gp1', node24, script, ...words)
  const going = execa(file, args, { reject: false })
  const looks: Awaited<ReturnType<typeof received>>[] = []
  let step = ''
  going.stderr.on('data', (chunk: Buffer) => {
    step = [...chunk.toString().matchAll(/^step (.*)$/gm)].at(-1)?.[1] ?? step
  })
  const ended = going.then(
    () => true,
    () => true,
  )
  while (!(await Promise.race([ended, received().then((look) => keep(look))])));
  const { stdout, stderr, signal } = await going
  return {
    report: stdout === '' ? undefined : (JSON.parse(stdout) as Report),
    stderr,
    signal,
    ...paceOf(looks),
  }

  function keep(look: (typeof looks)[number]): boolean {
    if (step === 'replicate') looks.push(look)
    return false
  }
}

function paceOf(looks: { at: number; bytes: number }[]) {
  const rates = looks.flatMap((from) => {
    const to = looks.find(({ at }) => at >= from.at + 5000)
    return to === undefined ? [] : [((to.bytes - from.bytes) * 1000) / (to.at - from.at)]
  })
  const bytes = (looks.at(-1)?.bytes ?? 0) - (looks[0]?.bytes ?? 0)
  return { most: Math.max(0, ...rates), bytes }
}

async function writeNew(): Promise<void> {
  const write = `dd if=/dev/urandom of=$dir/new bs=1M count=${newBytes / 1024 / 1024} status=none conv=fsync`
  const mount = `mount -t glusterfs gp1:/${lab.status.primary.volume} $dir`
  await inNode(lab, 'gp1', `set -e; dir=$(mktemp -d); ${mount}; ${write}; umount $dir; rmdir $dir`)
}

describe('a limit of the bandwidth on real geo-replication', () => {
  test('would be passed by far without it', async () => {
    const { report, most, stderr } = await run(0)
    expect(report?.outcome, stderr).toBe('protected')
    expect(most).toBeGreaterThan(limit * 1.5)
    process.stdout.write(`without a limit ${Math.round(most / 1024)} KiB/s\n`)
  })

  test('is kept, and the settings of the session are as the administrator left them', async () => {
    const before = await settings()
    expect(before).toContain('rsync-options = --timeout=900')
    await writeNew()
    const { report, most, bytes, stderr } = await run(limit)
    expect(report?.outcome, stderr).toBe('protected')
    expect(bytes).toBeGreaterThan(newBytes)
    // With what ssh adds, and what the session's own calls need.
    expect(most).toBeLessThan(limit * 1.2)
    expect(most).toBeGreaterThan(limit * 0.5)
    expect(await settings()).toEqual(before)
    expect(await leftovers(lab)).toEqual([])
    process.stdout.write(`at most ${Math.round(most / 1024)} KiB/s of ${limit / 1024}; ${bytes} bytes\n`)
  })

  test('is lifted by `recover` after a run that was killed while it sent', async () => {
    const before = await settings()
    await writeNew()
    expect((await run(limit, 'killed')).report).toBeUndefined()
    expect(await settings()).toEqual(
      expect.arrayContaining(['rsync-options = --timeout=900 --bwlimit=8192', 'sync-jobs = 1']),
    )
    const { exitCode, pairs } = await recoverAgent(lab)
    expect(exitCode, JSON.stringify(pairs)).toBe(0)
    expect(pairs.flatMap(({ found }) => found.map(({ what }) => what))).toContain(
      "restoring of the replication session's own limit",
    )
    expect(await session('config', 'rsync-options')).toBe('--timeout=900')
    expect(await session('config', 'sync-jobs')).toBe('3')
    expect((await settings()).length).toBe(before.length)
    expect(await leftovers(lab)).toEqual([])
  })
})
