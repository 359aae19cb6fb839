import { expect, test } from 'vitest'
import { gfidIn, listedIn, numberIn } from '../../src/gluster/xattrs.ts'

const size = 'trusted.glusterfs.shard.file-size'
const gfid = '252c16d6-51e4-48e8-82b4-b75174dba48c'

test('values are listed by the path below the root', () => {
  const text = `# file: /mnt/a/b\nglusterfs.gfid.string="${gfid}"\n\n# file: /mnt/c\n`
  expect(listedIn(text, '/mnt', gfidIn)).toEqual(new Map([['a/b', gfid]]))
})

test('a gfid that is no UUID is none: a path is made of it', () => {
  expect(gfidIn(`glusterfs.gfid.string="${'-'.repeat(36)}"`)).toBeUndefined()
})

test('a size is the first 64 bits of its attribute', () => {
  expect(numberIn(`${size}=0x0000000004000000ffffffffffffffff`, size)).toBe(2 ** 26)
  expect(numberIn('other=0x00', size)).toBeUndefined()
})

test.each(['0x', '0x0400', '0sAAAA', '0xffffffffffffffff', '0xzzzzzzzzzzzzzzzz'])(
  '%s is no size',
  (value) => {
    expect(() => numberIn(`${size}=${value}`, size)).toThrow(`the attribute ${size} is "${value}"`)
  },
)
