import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { LabClient } from '../../src/lab/client.ts'
import { leftovers, sameAtBothEnds } from '../../src/lab/demo/proof.ts'
import { flipAt, spoiler } from '../../src/lab/spoiler.ts'
import type { Report } from '../../src/run/report.ts'
import { configWith, labFor, runAgent, verifyAgent } from './agent.ts'
import { judgeSecondary } from './judge-secondary.ts'

// What Gluster loses or leaves behind without a word: "checkpoint completed: Yes" all the same. Sharded, one brick.

let lab: LabClient & AsyncDisposable

beforeAll(async () => {
  lab = await labFor('test-lost', '--shard', 'on', '--vms', '1', '--rate', '50', '--big', '1024')
  // A disk that nobody has written to would have no shards.
  await lab.control('POST', '/vms/idle/start')
  await vi.waitFor(async () => expect(await ackedBy('idle')).toBeGreaterThan(500), 60_000)
  await lab.control('POST', '/vms/idle/stop')
  const { report } = await runAgent(lab.vmbackup())
  expect(report.vms.filter(({ state }) => state === 'failed')).toEqual([])
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
})

async function ackedBy(vm: string): Promise<number> {
  const writers = [...(await lab.writers()).values()]
  return writers.find(({ name }) => name === vm)?.acked ?? 0
}

/** Spoils a piece of a VM's disk on the secondary. */
async function spoil(vm: string, piece: number, shell: string): Promise<void> {
  await using volume = await spoiler(lab, 'pieces')
  await volume.run(shell, await volume.pieceOf(await volume.diskOf(vm), piece))
}

async function sameOf(...names: string[]): Promise<boolean[]> {
  const { vms } = await lab.world()
  const ids = names.map((name) => vms.find((vm) => vm.name === name)?.id ?? '')
  const same = await sameAtBothEnds(lab, ids)
  return ids.map((id) => same.get(id) ?? false)
}

const shardBytes = 4 * 1024 * 1024

function resultOf(report: Report, vm: string) {
  return report.vms.find(({ name }) => name === vm)
}

test('without a comparison, a shard that was cut short is claimed to be protected: Gluster does not notice', async () => {
  await spoil('idle', 2, 'truncate -c -s 1000000 "$0"')
  const { report } = await runAgent([...lab.vmbackup(), '--verify', 'off'])
  expect(resultOf(report, 'idle')).toMatchObject({ state: 'protected', content: 'none' })
  expect(await sameOf('idle')).toEqual([false])
})

test('the quick comparison finds it, and with nothing sent again that VM fails and no other', async () => {
  const config = await configWith(lab, (text) => `${text}\n[verify]\nheal = 0\n`)
  const { report, exitCode } = await runAgent([...lab.vmbackup(), '--config', config])
  expect(exitCode).toBe(3)
  expect(resultOf(report, 'idle')).toMatchObject({
    state: 'failed',
    why: expect.stringMatching(
      /not the same: .* shard 2: \d+ bytes on the primary, 1000000 on the secondary/,
    ),
  })
  expect(report.vms.filter(({ state }) => state === 'failed').map(({ name }) => name)).toEqual(['idle'])
  // No other VM's claim is made smaller by it, and the next engine could still import them.
  expect((await judgeSecondary(lab)).importable).toBe(true)
})

test('empty, lost and cut shards and one flipped bit in 1 GiB are found by the full comparison and healed', async () => {
  const offset = 777_777_777
  await spoil('idle', 0, 'test -s "$0"; truncate -s 0 "$0"')
  await spoil('idle', 1, 'rm "$0"')
  await spoil('idle', 3, 'test -s "$0"; truncate -s 0 "$0"')
  await spoil('big', Math.floor(offset / shardBytes), flipAt(offset % shardBytes))
  expect(await sameOf('idle', 'big')).toEqual([false, false])
  const { report, stderr, exitCode } = await runAgent([...lab.vmbackup(), '--verify', 'full'])
  expect(stderr).toContain(`content differs at offset ${offset}`)
  expect(stderr).toContain('shard 0: 4194304 bytes on the primary, 0 on the secondary')
  expect(report).toMatchObject({ outcome: 'protected', comparison: { mode: 'full', healed: 2 } })
  expect(exitCode).toBe(0)
  expect(await sameOf('idle', 'big')).toEqual([true, true])
  expect(await leftovers(lab)).toEqual([])
})

describe('the recovery point of that run', () => {
  test('is proved by its manifest, by an independent reading of the rules, and could be imported and used', async () => {
    const { exitCode, point } = await verifyAgent(lab)
    expect(point).toMatchObject({ verdict: 'proved', flaws: [] })
    expect(exitCode).toBe(0)
    const judgement = await judgeSecondary(lab)
    expect(judgement.why).toEqual([])
    expect(judgement.importable).toBe(true)
    for (const vm of judgement.vms.values())
      expect(vm).toMatchObject({ registers: true, starts: true, canSnapshot: true })
    for (const image of judgement.images.values()) expect(image).toMatchObject({ prepares: true })
  })

  /** What is done to the copy of the VM `idle` (`$0`) or its domain, how it is undone, and what is said of it. */
  type Tampering = [what: string, spoil: string, mend: string, words: string]
  const changed = (file: string, change: string): [string, string] => [
    // Written in place: as another file it would also be a stranger to geo-replication.
    `f=$(ls ${file}); cp "$f" /run/kept; sed ${change} /run/kept > "$f"`,
    `f=$(ls ${file}); cat /run/kept > "$f"`,
  ]
  const away = (file: string): [string, string] => [`mv ${file} away`, `mv away ${file}`]
  const strange = '$(dirname "$0")/99999999-9999-4999-8999-999999999999'
  const stores = 'grep -l DISKTYPE=OVFS */images/*/*.meta'
  const newest = 'vmbackup/points/*.json | tail -n 1'

  test.each<Tampering>([
    ['a bit of a disk is flipped', flipAt(5_000), flipAt(5_000), 'its content is not what was proved'],
    ['a disk is gone', ...away('$0'), 'it is missing'],
    ['a description is gone', ...away('$0.meta'), 'it has no volume'],
    ['a description is empty', ...changed('$0.meta', '-n ""'), 'no line EOF'],
    [
      'a disk is marked as the inner part of a chain',
      ...changed('$0.meta', 's/LEAF/INTERNAL/'),
      'marked as the top',
    ],
    ['a disk is marked as illegal', ...changed('$0.meta', 's/=LEGAL/=ILLEGAL/'), 'is ILLEGAL'],
    ['a disk is described as larger', ...changed('$0.meta', 's/^CAP=/CAP=9/'), 'capacity'],
    [
      'a strange volume stands on a disk',
      `cp "$0.meta" "${strange}.meta"; head -c 1000 "$0" > "${strange}"`,
      `rm "${strange}" "${strange}.meta"`,
      'no part of the recovery point',
    ],
    ["the domain's metadata is changed", ...changed('*/dom_md/metadata', 's/VERSION=5/VERSION=4/'), 'seal'],
    [
      'no store of VM documents is vouched for',
      `n=0; for m in $(${stores}); do n=$((n+1)); cp $m /run/kept$n; sed 's/"Updated":true/"Updated":false/' /run/kept$n > $m; done`,
      `n=0; for m in $(${stores}); do n=$((n+1)); cat /run/kept$n > $m; done`,
      'no OVF_STORE of the domain',
    ],
    ['the manifest claims another state', ...changed(newest, 's/data-dr/data-dx/'), 'digest'],
  ])('is refuted when %s, and proved again when that is undone', async (_what, spoilIt, mend, words) => {
    await using volume = await spoiler(lab, 'files')
    const disk = await volume.diskOf('idle')
    await volume.run(spoilIt, disk)
    const { exitCode, point } = await verifyAgent(lab, ...(words.includes('content') ? [] : ['--no-content']))
    await volume.run(mend, disk)
    expect(exitCode).toBe(1)
    expect(point?.verdict).toBe('refuted')
    const said = [...(point?.flaws ?? []), ...(point?.vms.flatMap(({ why }) => why) ?? [])]
    expect(said.join('; ')).toContain(words)
    expect((await verifyAgent(lab, '--no-content')).point?.verdict).toBe('proved')
  })

  test.each([
    ['is gone', 'mv "$0" away', 'mv away "$0"'],
    ['is cut short', 'cp "$0" away; truncate -s 100000 "$0"', 'cat away > "$0"; rm away'],
  ])('is refuted without reading any content when a shard %s', async (_what, spoilIt, mend) => {
    await using volume = await spoiler(lab, 'pieces')
    const shard = await volume.pieceOf(await volume.diskOf('big'), 200)
    await volume.run(spoilIt, shard)
    const { exitCode, point } = await verifyAgent(lab, '--no-content')
    await volume.run(mend, shard)
    expect(exitCode).toBe(1)
    const refuted = point?.vms.filter(({ verdict }) => verdict === 'refuted')
    expect(refuted).toMatchObject([
      { name: 'big', why: [expect.stringContaining('its shards are not those')] },
    ])
    expect((await verifyAgent(lab, '--no-content')).point?.verdict).toBe('proved')
  })
})
