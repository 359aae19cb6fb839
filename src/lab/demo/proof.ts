import type { Dirs, LabClient, LabVm, LabWriter } from '../client.ts'
import type { Verdict } from '../vms/judge.ts'
import { leftRunning } from './left-running.ts'

/** Every VM with a writer, as it lies on the secondary now; expectations by VM id where there are any. */
export async function proveSecondary(
  lab: LabClient,
  between?: { before: Map<string, LabWriter>; after: Map<string, LabWriter> },
): Promise<{ vm: LabVm; verdict: Verdict }[]> {
  const { secondary } = lab.status
  const [{ vms }, writers] = await Promise.all([lab.world(), lab.writers()])
  const node = secondary.host ?? ''
  await using mounted = await lab.mountSite('secondary')
  const written = vms.filter((vm) => writers.has(vm.id))
  const orders = written.map((vm) => ({
    vm: vm.id,
    disks: lab.imagesOf(vm, mounted.dirs, (disk) => disk.chain[0]?.volume),
    ...(between === undefined
      ? {}
      : { min: between.before.get(vm.id)?.acked ?? 0, max: (between.after.get(vm.id)?.acked ?? 0) + 1 }),
  }))
  const verdicts = await lab.prove(node, orders)
  return written.flatMap((vm) => {
    const verdict = verdicts.get(vm.id)
    return verdict === undefined ? [] : [{ vm, verdict }]
  })
}

/** What a run should not have left: told in words, empty when all is clean. */
export async function leftovers(lab: LabClient): Promise<string[]> {
  const { vms } = await lab.world()
  const files = await Promise.all(
    (await lab.pairs()).flatMap(({ id, primary, secondary }) => [
      strangeFiles(lab, 'gp1', primary, id, vms),
      strangeFiles(lab, lab.status.secondary.host ?? '', secondary, id, vms),
    ]),
  )
  return [...vms.flatMap(leftOnEngine), ...files.flat(), ...(await leftRunning(lab))]
}

function leftOnEngine(vm: LabVm): string[] {
  const snapshots = vm.snapshots.filter((one) => one.type === 'regular')
  const chains = vm.disks.filter((disk) => disk.chain.length > 1)
  return [
    ...snapshots.map((one) => `snapshot "${one.description}" of ${vm.name}`),
    ...chains.map((disk) => `${disk.alias} of ${vm.name} has ${disk.chain.length} volumes`),
  ]
}

/** Files of the VMs' images that belong to no volume the engine knows, and volumes that are not marked as tops. */
async function strangeFiles(
  lab: LabClient,
  node: string,
  volume: string,
  domain: string,
  vms: readonly LabVm[],
): Promise<string[]> {
  await using mount = await lab.mount(node, volume)
  const disks = vms.flatMap((vm) => vm.disks)
  const known = new Set(disks.map((disk) => `${disk.image}/${disk.chain[0]?.volume}`))
  const images = new Set(disks.map((disk) => disk.image))
  const root = `${mount.dir}/${domain}/images`
  // Before the first replication the secondary is empty.
  const list = ['sh', '-c', 'test ! -d "$1" || find "$1" -type f -printf "%P\\n"', 'find']
  const listed = lines(await lab.run(node, ...list, root))
  const ours = listed.filter((file) => images.has(file.split('/')[0] ?? ''))
  const strange = ours.filter((file) => !known.has(file.replace(/\.(meta|lease)$/, '')))
  // A description that is still empty has not arrived: no run was there that could claim it.
  const described = ['find', root, '-name', '*.meta', '-size', '+0']
  const tops = ['-exec', 'grep', '-LE', '^VOLTYPE=(LEAF|SHARED)', '{}', '+']
  const noTops = lines(
    await lab.run(node, 'sh', '-c', 'test ! -d "$2" || "$@" || true', 'find', ...described, ...tops),
  )
  return [
    ...strange.map((file) => `${file} on volume ${volume}`),
    ...noTops.map((file) => `no top of a chain: ${file} on volume ${volume}`),
  ]
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** For VMs that nobody writes to: whether their images have the same digest at both ends, by VM id. */
export async function sameAtBothEnds(lab: LabClient, ids: readonly string[]): Promise<Map<string, boolean>> {
  const { secondary } = lab.status
  const { vms } = await lab.world()
  await using here = await lab.mountSite('primary')
  await using there = await lab.mountSite('secondary')
  const same = new Map<string, boolean>()
  for (const vm of vms.filter(({ id }) => ids.includes(id))) {
    const [mine, its] = await Promise.all([
      digests(lab, 'gp1', vm, here.dirs),
      digests(lab, secondary.host ?? '', vm, there.dirs),
    ])
    same.set(vm.id, mine !== '' && mine === its)
  }
  return same
}

async function digests(lab: LabClient, node: string, vm: LabVm, dirs: Dirs): Promise<string> {
  const images = lab.imagesOf(vm, dirs, (disk) => disk.chain.at(-1)?.volume)
  if (images.length === 0) return ''
  return (await lab.digests(node, images)).join()
}
