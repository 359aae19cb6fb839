import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createGeoReplication } from '../../src/gluster/geo-replication.ts'
import { replicationContract } from '../contract/replication.ts'

// Mounts and the volume's addresses exist inside a node only, so this file runs twice: outside it brings a lab up and
// runs itself in gp1, where this variable tells it to be the contract.
const insideNode = 'VMBACKUP_TEST_INSIDE'
const root = new URL('../..', import.meta.url).pathname

if (process.env[insideNode] !== undefined) {
  // A turn that stalls (live changes can get lost after a start, 10.3) costs its whole length, and a cycle may need some.
  vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 })
  replicationContract('geo-replication', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'replication-'))
    return {
      replication: createGeoReplication({
        primary: 'data',
        secondary: { host: 'gs1', volume: 'data-dr' },
        secondaryCommand: ['ssh', 'gs1'],
        logDir: dir,
      }),
      emptyDir: () => mkdtemp(join(dir, 'mount-')),
      paceMs: 1000,
      turnMs: 25_000,
      quietMs: 5000,
      [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
    }
  })

  // Here, where the volumes are sharded, each has two.
  test('an open volume has all its mounts: none is made later, when guests may be on their overlays', async () => {
    const { signal } = new AbortController()
    const dir = await mkdtemp(join(tmpdir(), 'replication-'))
    const mounts = async (): Promise<number> =>
      (await readFile('/proc/self/mounts', 'utf8')).split(` ${dir}/`).length - 1
    const pair = { primary: 'data', secondary: { host: 'gs1', volume: 'data-dr' } }
    const replication = createGeoReplication({ ...pair, logDir: dir })
    {
      await using primary = await replication.openPrimary(await mkdtemp(join(dir, 'mount-')), signal)
      expect(await mounts()).toBe(2)
      await using _secondary = await replication.openSecondary(await mkdtemp(join(dir, 'mount-')), signal)
      expect(await mounts()).toBe(4)
      await writeFile(join(primary.dir, 'to-be-sent-again'), 'content')
      await using file = await primary.open('to-be-sent-again', signal)
      await replication.resend({ primary }, ['to-be-sent-again'], signal)
      expect([await mounts(), file.sizeBytes]).toEqual([4, 7])
    }
    expect(await mounts()).toBe(0)
    await rm(dir, { recursive: true })
  })
} else {
  // With sharding, which is the harder case; three replicas take minutes longer on a small machine and come on demand.
  const layouts = process.env['VMBACKUP_TEST_ALL'] === 'yes' ? ['single', 'replica3'] : ['single']
  describe.each(layouts.map((layout) => ({ layout, shard: 'on' })))(
    'geo-replication on Gluster: $layout, sharding $shard',
    ({ layout, shard }) => {
      const name = `contract-${layout}`
      const lab = (...words: string[]) => execa(join(root, 'scripts/lab'), words, { all: true })
      const inNode = (node: string, ...argv: string[]) => lab('exec', '--name', name, node, '--', ...argv)

      beforeAll(async () => {
        await lab('up', '--name', name, '--no-engine', '--layout', layout, '--shard', shard)
      })
      afterAll(async () => {
        await lab('down', '--name', name)
      })

      test('keeps every fact of the contract', { timeout: 1_500_000 }, async () => {
        const vitest = [join(root, 'node_modules/.bin/vitest'), 'run', '--config', 'test/vitest.config.ts']
        const argv = [...vitest, '--project', 'lab', '--root', root, 'test/lab/replication.test.ts']
        const path = `PATH=${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`
        const ran = await inNode('gp1', 'env', path, `${insideNode}=yes`, ...argv).catch((error) => error)
        expect(ran.exitCode, ran.all).toBe(0)
      })

      test('leaves no shard of a removed file on the secondary', async () => {
        const script = `cd /bricks/data-dr && mkdir -p .shard && ls -A .shard | sed 's/\\.[^.]*$//' | sort -u |
        while read -r gfid; do
          ab=\${gfid%"\${gfid#??}"} rest=\${gfid#??} cd=\${rest%"\${rest#??}"}
          [ -z "$gfid" ] || [ -e ".glusterfs/$ab/$cd/$gfid" ] || echo "$gfid"
        done; ls -A .shard/.remove_me 2>/dev/null || true`
        expect((await inNode('gs1', 'sh', '-c', script)).stdout).toBe('')
      })
    },
  )
}
