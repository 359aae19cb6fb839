import type { LabClient, LabVm } from './client.ts'

/** The secondary volume, mounted so that a test or the demo may spoil what replication has brought. */
export interface Spoiler extends AsyncDisposable {
  /** Runs shell text in the volume's root, with `$0` a disk's file. */
  run(shell: string, file?: string): Promise<string>
  /** The path of a VM's disk, relative to the root. */
  diskOf(vm: string): Promise<string>
  /** The path of a piece of a disk; 0 is its file. Only where pieces are files. */
  pieceOf(file: string, index: number): Promise<string>
}

// Neither is bound by the read-only option: geo-replication's own pid, to which every piece is a file, and root's.
const pids = { pieces: ['--client-pid=-1', '--aux-gfid-mount'], files: ['--client-pid=-4'] }

/** Mounts the secondary so that files are whole, or so that every piece of a sharded file is a file of its own. */
export async function spoiler(lab: LabClient, what: keyof typeof pids): Promise<Spoiler> {
  const { secondary } = lab.status
  const node = secondary.host ?? ''
  const { vms, domains } = await lab.world()
  const domain = domains.find(({ onHost }) => onHost)?.id ?? ''
  const dir = (await lab.run(node, 'mktemp', '-d', '/run/spoil.XXXXXX')).trim()
  const from = [`--volfile-server=${node}`, `--volfile-id=${secondary.volume}`]
  const uncached = ['--attribute-timeout=0', '--entry-timeout=0', '--direct-io-mode=enable']
  await lab.run(node, 'glusterfs', ...from, ...pids[what], ...uncached, dir)
  const run = (shell: string, file = '') => lab.run(node, 'sh', '-euc', `cd ${dir}; ${shell}`, file)
  return {
    run,
    async diskOf(name) {
      const disk = pickDisk(vms, name)
      return `${domain}/images/${disk.image}/${disk.chain[0]?.volume}`
    },
    async pieceOf(file, index) {
      if (index === 0) return file
      const gfid = await run('getfattr --only-values -n glusterfs.gfid.string "$0"', file)
      return `.shard/${gfid.trim()}.${index}`
    },
    async [Symbol.asyncDispose]() {
      await lab.run(node, 'umount', dir)
      await lab.run(node, 'rmdir', dir)
    },
  }
}

function pickDisk(vms: readonly LabVm[], name: string): LabVm['disks'][number] {
  const disk = vms.find((vm) => vm.name === name)?.disks[0]
  if (disk === undefined) throw new Error(`VM ${name} has no disk`)
  return disk
}

/** Shell text that changes one bit at an offset of a file and nothing else of it. */
export function flipAt(offset: number): string {
  const read = `byte=$(od -An -tu1 -j ${offset} -N1 "$0" | tr -d ' ')`
  const write = `printf "\\\\$(printf %03o $((byte ^ 1)))" | dd of="$0" bs=1 seek=${offset} conv=notrunc status=none`
  return `${read}; ${write}`
}
