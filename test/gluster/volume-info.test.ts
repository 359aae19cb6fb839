import { expect, test } from 'vitest'
import { isOn, shardBytes, volumeInfoOf } from '../../src/gluster/volume-info.ts'
import { parseAnswer } from '../../src/gluster/xml.ts'
import { sample } from './fake-gluster.ts'

async function volume(name: string, of: string, change = (text: string) => text) {
  const found = volumeInfoOf(parseAnswer(change(await sample(name))).root, of)
  if (found === undefined) throw new Error(`no volume ${of} in ${name}`)
  return found
}

test('one brick is one set', async () => {
  expect(await volume('volume-info-single', 'data')).toMatchObject({
    started: true,
    type: 'Distribute',
    dispersed: false,
    replicated: false,
    hosts: ['gp1'],
    sets: [[{ host: 'gp1', path: '/bricks/data' }]],
  })
})

test('three replicas are one set', async () => {
  const { sets, hosts, replicated } = await volume('volume-info-replica3', 'data')
  expect(sets.map((set) => set.map(({ host }) => host))).toEqual([['gp1', 'gp2', 'gp3']])
  expect(hosts).toEqual(['gp1', 'gp2', 'gp3'])
  expect(replicated).toBe(true)
})

test('a dispersed volume is told', async () => {
  const disperse = (text: string) => text.replace('>Replicate<', '>Distributed-Disperse<')
  expect((await volume('volume-info-replica3', 'data', disperse)).dispersed).toBe(true)
})

test('a stopped volume is told', async () => {
  const stopped = (text: string) => text.replace('>Started<', '>Stopped<')
  expect((await volume('volume-info-single', 'data', stopped)).started).toBe(false)
})

test('options are read, and a default stands for what was not set', async () => {
  const found = await volume('volume-info-replica3', 'data')
  expect(isOn(found, 'features.shard', false)).toBe(true)
  expect(isOn(found, 'no.such-option', true)).toBe(true)
  expect(found.options.get('changelog.rollover-time')).toBe('2')
})

test.each([
  ['4MB', 4 * 2 ** 20],
  ['512MB', 2 ** 29],
  ['64M', 2 ** 26],
  ['67108864', 2 ** 26],
  ['1GB', 2 ** 30],
  ['0.5GB', 2 ** 29],
])('a shard of %s has %d bytes', async (text, bytes) => {
  const sized = (xml: string) => xml.replace('>4MB<', `>${text}<`)
  expect(shardBytes(await volume('volume-info-replica3', 'data', sized))).toBe(bytes)
})

test.each(['something', '0', '-4MB', '1e3MB', '99999999999999TB'])(
  '%s is the size of no shard',
  async (text) => {
    const sized = (xml: string) => xml.replace('>4MB<', `>${text}<`)
    const found = await volume('volume-info-replica3', 'data', sized)
    expect(() => shardBytes(found)).toThrow(
      `features.shard-block-size of volume data is "${text}", which is no size`,
    )
  },
)

test('a volume that is not in the answer is undefined', async () => {
  const { root } = parseAnswer(await sample('volume-info-single'))
  expect(volumeInfoOf(root, 'dat')).toBeUndefined()
})
