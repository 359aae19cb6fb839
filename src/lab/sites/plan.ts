export type Layout = 'single' | 'replica3'

/** What a lab is asked to be; a running lab keeps the answer. */
export interface LabOptions {
  name: string
  layout: Layout
  shard: boolean
  vms: number
  disks: number
  /** Pairs of volumes, each with a session and a storage domain of its own: 1 or 2. */
  volumes: number
  /** Guest writes per second and VM. */
  rate: number
  engine: boolean
  /** MiB of the disk of one more VM, `big`, which is down; 0: no such VM. */
  big: number
  /** Keep the machine's own rsync, whatever it does to geo-replication. */
  brokenRsync: boolean
}

export interface LabNode {
  name: string
  ip: string
  role: 'primary' | 'secondary' | 'host' | 'admin'
}

/** A volume, the one that it is replicated to, and the name of the storage domain that lies on it. */
export interface LabPair {
  primary: string
  secondary: string
  domain: string
}

const allPairs: LabPair[] = [
  { primary: 'data', secondary: 'data-dr', domain: 'vmstore' },
  { primary: 'data2', secondary: 'data2-dr', domain: 'vmstore2' },
]

export function pairsOf({ volumes }: Pick<LabOptions, 'volumes'>): LabPair[] {
  return allPairs.slice(0, volumes)
}

const allNodes: LabNode[] = [
  { name: 'gp1', ip: '10.77.0.11', role: 'primary' },
  { name: 'gp2', ip: '10.77.0.12', role: 'primary' },
  { name: 'gp3', ip: '10.77.0.13', role: 'primary' },
  { name: 'gs1', ip: '10.77.0.21', role: 'secondary' },
  { name: 'hv1', ip: '10.77.0.31', role: 'host' },
  { name: 'admin', ip: '10.77.0.41', role: 'admin' },
]

/** The nodes of a layout; the same addresses in every lab, as each lab has a network of its own. */
export function nodesOf(layout: Layout): LabNode[] {
  return layout === 'replica3' ? allNodes : allNodes.filter(({ name }) => name !== 'gp2' && name !== 'gp3')
}

/** Nodes with a glusterd, of one site or of both. */
export function glusterNodes(layout: Layout, ...sites: ('primary' | 'secondary')[]): LabNode[] {
  const wanted: string[] = sites.length > 0 ? sites : ['primary', 'secondary']
  return nodesOf(layout).filter(({ role }) => wanted.includes(role))
}

/** /etc/hosts of every node; the engine answers at the host's address. */
export function hostsFile(nodes: LabNode[]): string {
  const lines = nodes.map(({ name, ip, role }) => `${ip} ${role === 'host' ? `${name} engine` : name}`)
  return ['127.0.0.1 localhost', ...lines, ''].join('\n')
}

/** Names of the options in which two labs differ. */
export function differences(asked: LabOptions, running: LabOptions): string[] {
  return (Object.keys(asked) as (keyof LabOptions)[])
    .filter((key) => asked[key] !== running[key])
    .map((key) => `${key} is ${running[key]}, asked for ${asked[key]}`)
}
