import { Command, InvalidArgumentError, Option } from 'commander'
import { labNames } from './sites/directory.ts'
import { bringDown } from './sites/down.ts'
import type { LabOptions, Layout } from './sites/plan.ts'
import { type LabStatus, statusOf } from './sites/status.ts'
import { bringUp } from './sites/up.ts'

interface UpFlags {
  name: string
  layout: Layout
  shard: 'on' | 'off'
  vms: number
  disks: number
  volumes: '1' | '2'
  rate: number
  engine: boolean
  big: number
  brokenRsync?: true
  json?: true
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const name = () => new Option('--name <name>', 'which lab').default('lab').argParser(labName)

const program = new Command('lab')
  .description(
    'two real Gluster sites with geo-replication, VMs and a simulated oVirt engine on this machine',
  )
  .showHelpAfterError()

program
  .command('up')
  .description('bring a lab up; one that is up stays as it is')
  .addOption(name())
  .addOption(
    new Option('--layout <layout>', 'bricks of the primary')
      .choices(['single', 'replica3'])
      .default('single'),
  )
  .addOption(new Option('--shard <shard>', 'sharding, on both volumes').choices(['on', 'off']).default('off'))
  .option('--vms <count>', 'how many VMs run', count, 3)
  .option('--disks <count>', 'disks per VM', count, 1)
  .addOption(
    new Option('--volumes <count>', 'pairs of volumes; with 2, VM both has disks on each')
      .choices(['1', '2'])
      .default('1'),
  )
  .option('--rate <writes>', 'writes per second and VM', count, 100)
  .option('--big <MiB>', 'one more VM, down, with a disk of this size; 0: none', count, 0)
  .option('--no-engine', 'only the Gluster sites')
  .option(
    '--broken-rsync',
    'leave the nodes the rsync of this machine, with which geo-replication may lose all',
  )
  .option('--json', 'print the status as JSON in the end')
  .action(up)

program
  .command('down')
  .description('end a lab and delete all it had')
  .addOption(name())
  .option('--all', 'every lab of this machine')
  .action(async (flags: { name: string; all?: true }) => {
    const names = flags.all ? await labNames() : [flags.name]
    await Promise.all(names.map(bringDown))
  })

program
  .command('status')
  .description('what is there')
  .addOption(name())
  .option('--json', 'for programs')
  .action(async (flags: { name: string; json?: true }) => {
    const status = await statusOf(flags.name)
    print(flags.json ? JSON.stringify(status, null, 2) : inWords(status))
  })

program
  .command('exec')
  .description(
    'run a command inside a node: exec [--name NAME] NODE -- COMMAND... (done by scripts/lab itself)',
  )

program
  .command('logs')
  .description("where a node's logs are")
  .addOption(name())
  .argument('<node>')
  .action(logs)

async function up(flags: UpFlags): Promise<void> {
  const { json, brokenRsync = false, ...rest } = flags
  const options: LabOptions = {
    ...rest,
    volumes: Number(flags.volumes),
    shard: flags.shard === 'on',
    brokenRsync,
  }
  const begin = performance.now()
  await bringUp(options, (line) => {
    process.stderr.write(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${line}\n`)
  })
  const status = await statusOf(options.name)
  print(json ? JSON.stringify(status, null, 2) : inWords(status))
}

async function logs(node: string, flags: { name: string }): Promise<void> {
  const status = await statusOf(flags.name)
  if (status.state === 'down') throw new Error(`there is no lab ${flags.name}`)
  if (!status.nodes.some((known) => known.name === node))
    throw new Error(`lab ${flags.name} has no node ${node}`)
  const dir = `${status.dir}/nodes/${node}`
  print([`${dir}/var/log/glusterfs`, `${dir}/init.log`].join('\n'))
  if (node === 'hv1') print(`${status.dir}/engine.log`)
}

function inWords(status: LabStatus): string {
  if (status.state === 'down') return `lab ${status.name}: down`
  const { options, nodes, config } = status
  const shape = `${options.layout}, shard ${options.shard ? 'on' : 'off'}`
  const shown = nodes.map(
    ({ name, ip, pid }) => `  ${name.padEnd(6)} ${ip.padEnd(12)} ${pid ?? 'not running'}`,
  )
  const volumes = status.pairs.map(({ primary, secondary }) => `  ${primary} -> gs1::${secondary}`)
  return [
    `lab ${status.name}: ${status.state} (${shape})`,
    ...shown,
    ...volumes,
    `  configuration: ${config}`,
  ].join('\n')
}

function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('a whole number is needed')
  return Number(text)
}

function labName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(text)) {
    throw new InvalidArgumentError('small letters, digits and dashes, 31 at most')
  }
  return text
}

await program.parseAsync().catch((error: Error) => {
  process.stderr.write(`lab: ${error.message}\n`)
  process.exitCode = 1
})
