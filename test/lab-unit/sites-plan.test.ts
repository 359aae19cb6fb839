import { describe, expect, test } from 'vitest'
import {
  differences,
  glusterNodes,
  hostsFile,
  type LabOptions,
  nodesOf,
  pairsOf,
} from '../../src/lab/sites/plan.ts'

const asked: LabOptions = {
  name: 'lab',
  layout: 'single',
  shard: false,
  vms: 3,
  disks: 1,
  volumes: 1,
  rate: 300,
  engine: true,
  big: 0,
  brokenRsync: false,
}
const namesOf = (nodes: { name: string }[]): string[] => nodes.map(({ name }) => name)

describe('the nodes of a lab', () => {
  test('a single lab has one Gluster node a site, a host and an admin machine', () => {
    expect(namesOf(nodesOf('single'))).toEqual(['gp1', 'gs1', 'hv1', 'admin'])
  })

  test('replica3 has three nodes at the primary and still one at the secondary', () => {
    expect(namesOf(glusterNodes('replica3', 'primary'))).toEqual(['gp1', 'gp2', 'gp3'])
    expect(namesOf(glusterNodes('replica3', 'secondary'))).toEqual(['gs1'])
  })

  test('host and admin run no glusterd', () => {
    expect(namesOf(glusterNodes('replica3'))).toEqual(['gp1', 'gp2', 'gp3', 'gs1'])
  })

  test('no two nodes share an address', () => {
    const addresses = nodesOf('replica3').map(({ ip }) => ip)
    expect(new Set(addresses).size).toBe(addresses.length)
  })

  test('every node is found by name, and the engine at the address of its host', () => {
    const hosts = hostsFile(nodesOf('single'))
    const host = nodesOf('single').find(({ name }) => name === 'hv1')
    expect(hosts).toContain(`${host?.ip} hv1 engine\n`)
    expect(hosts).toMatch(/^127\.0\.0\.1 localhost$/m)
    expect(hosts).toMatch(/^\S+ gs1$/m)
  })
})

describe('asking for a lab that is up', () => {
  test('the same options differ in nothing', () => {
    expect(differences(asked, { ...asked })).toEqual([])
  })

  test('each option that differs is named with both values', () => {
    expect(differences({ ...asked, layout: 'replica3', shard: true }, asked)).toEqual([
      'layout is single, asked for replica3',
      'shard is false, asked for true',
    ])
  })
})

test('one pair of volumes, or two with names of their own at both ends', () => {
  expect(pairsOf(asked)).toEqual([{ primary: 'data', secondary: 'data-dr', domain: 'vmstore' }])
  const names = pairsOf({ volumes: 2 }).flatMap((pair) => Object.values(pair))
  expect(new Set(names).size).toBe(6)
})
