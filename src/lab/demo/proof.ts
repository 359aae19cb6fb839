import type { LabClient, LabVm, LabWriter } from '../client.ts'
import type { Verdict } from '../vms/judge.ts'

/** Every VM with a writer, as it lies on the secondary now; expectations by VM id where there are any. */
export async function proveSecondary(
  lab: LabClient,
  between?: { before: Map<string, LabWriter>; after: Map<string, LabWriter> },
): Promise<{ vm: LabVm; verdict: Verdict }[]> {
  const { secondary } = lab.status
  const [{ vms }, writers] = await Promise.all([lab.world(), lab.writers()])
  const node = secondary.host ?? ''
  await using mount = await lab.mount(node, secondary.volume)
  const written = vms.filter((vm) => writers.has(vm.id))
  const orders = await Promise.all(
    written.map(async (vm) => ({
      vm: vm.id,
      disks: await lab.imagesOf(vm, mount.dir, (disk) => disk.chain[0]?.volume),
      ...(between === undefined
        ? {}
        : { min: between.before.get(vm.id)?.acked ?? 0, max: (between.after.get(vm.id)?.acked ?? 0) + 1 }),
    })),
  )
  const verdicts = await lab.prove(node, orders)
  return written.flatMap((vm) => {
    const verdict = verdicts.get(vm.id)
    return verdict === undefined ? [] : [{ vm, verdict }]
  })
}

/** What a run should not have left: told in words, empty when all is clean. */
export async function leftovers(lab: LabClient): Promise<string[]> {
  const found: string[] = []
  const { vms, domains } = await lab.world()
  for (const vm of vms) {
    for (const one of vm.snapshots) {
      if (one.type === 'regular') found.push(`snapshot "${one.description}" of ${vm.name}`)
    }
    for (const disk of vm.disks) {
      if (disk.chain.length > 1) found.push(`${disk.alias} of ${vm.name} has ${disk.chain.length} volumes`)
    }
  }
  const domain = domains.find((one) => one.onHost)?.id ?? ''
  const known = new Set(vms.flatMap((vm) => vm.disks.map((disk) => `${disk.image}/${disk.chain[0]?.volume}`)))
  const images = new Set(vms.flatMap((vm) => vm.disks.map((disk) => disk.image)))
  for (const [node, volume] of [
    ['gp1', lab.status.primary.volume],
    [lab.status.secondary.host ?? '', lab.status.secondary.volume],
  ] as const) {
    await using mount = await lab.mount(node, volume)
    const listed = await lab.run(
      node,
      'find',
      `${mount.dir}/${domain}/images`,
      '-type',
      'f',
      '-printf',
      '%P\\n',
    )
    const strange = listed.split('\n').filter((file) => {
      const volumeFile = file.replace(/\.(meta|lease)$/, '')
      return images.has(file.split('/')[0] ?? '') && !known.has(volumeFile)
    })
    for (const file of strange) found.push(`${file} on volume ${volume}`)
    const metas = await lab
      .run(node, 'grep', '-rLE', '^VOLTYPE=(LEAF|SHARED)', '--include=*.meta', mount.dir)
      .catch(() => '')
    for (const file of metas.split('\n').filter((line) => line !== ''))
      found.push(`no LEAF: ${file} on ${volume}`)
  }
  return found
}

/** For VMs that nobody writes to: whether their images have the same digest at both ends, by VM id. */
export async function sameAtBothEnds(lab: LabClient, ids: readonly string[]): Promise<Map<string, boolean>> {
  const { primary, secondary } = lab.status
  const { vms } = await lab.world()
  await using here = await lab.mount('gp1', primary.volume)
  await using there = await lab.mount(secondary.host ?? '', secondary.volume)
  const same = new Map<string, boolean>()
  for (const vm of vms.filter(({ id }) => ids.includes(id))) {
    const [mine, its] = await Promise.all([
      digests(lab, 'gp1', vm, here.dir),
      digests(lab, secondary.host ?? '', vm, there.dir),
    ])
    same.set(vm.id, mine !== '' && mine === its)
  }
  return same
}

async function digests(lab: LabClient, node: string, vm: LabVm, dir: string): Promise<string> {
  const images = await lab.imagesOf(vm, dir, (disk) => disk.chain.at(-1)?.volume)
  if (images.length === 0) return ''
  const listed = await lab.run(node, 'sha256sum', ...images.map(({ path }) => path))
  return listed.replaceAll(dir, '')
}
