import { Command, Option } from 'commander'
import { execa } from 'execa'
import picocolors from 'picocolors'
import { z } from 'zod'
import { LabClient } from '../client.ts'
import { bringDown } from '../sites/down.ts'
import type { LabOptions, Layout } from '../sites/plan.ts'
import { bringUp, isOwn } from '../sites/up.ts'
import { flipAt, spoiler } from '../spoiler.ts'
import { describeVerdict } from '../vms/prover.ts'
import { replicateByHand } from './by-hand.ts'
import { Interruption, listenForInterruption } from './interruption.ts'
import { leftovers, proveSecondary, sameAtBothEnds } from './proof.ts'
import { textTable } from './text-table.ts'

interface DemoOptions {
  name: string
  layout: Layout
  shard: 'on' | 'off'
  vms: string
  rate: string
  keep?: true
}

/** An offset in what every comparison reads. */
const firstBlock = 5_000

/** The part of vmbackup's report that the demo looks at. */
const reportShape = z.object({
  run: z.string(),
  outcome: z.string(),
  steps: z.array(z.object({ name: z.string(), ms: z.number() })),
  vms: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      state: z.string(),
      consistency: z.string().optional(),
      why: z.string().optional(),
    }),
  ),
})
type DemoReport = z.output<typeof reportShape>

const began = performance.now()
const { green, red, bold, dim } = picocolors.createColors(process.stdout.isTTY && !process.env['NO_COLOR'])
const say = (text = ''): void => void process.stdout.write(`${text}\n`)
const title = (text: string): void => say(`\n${bold(`== ${text}`)} ${dim(`(${seconds()} s)`)}`)
const seconds = (): string => ((performance.now() - began) / 1000).toFixed(1)

await new Command('demo')
  .description('Shows the main job on a lab of this machine, with proof; takes everything down in the end.')
  .option('--name <name>', 'name of the lab', 'demo')
  .addOption(
    new Option('--layout <layout>', 'bricks of the primary')
      .choices(['single', 'replica3'])
      .default('single'),
  )
  .addOption(new Option('--shard <shard>', 'sharding on both volumes').choices(['on', 'off']).default('off'))
  .option('--vms <count>', 'running VMs with one disk each, beside the others', '3')
  .option('--rate <writes>', 'writes per second and VM', '100')
  .option('--keep', 'leave the lab up and say how to go on')
  .action(async (options: DemoOptions) => {
    // What an interrupted demo was doing goes on in vain; nothing may wait for it.
    process.exit(await demo(options))
  })
  .parseAsync()

async function demo(options: DemoOptions): Promise<number> {
  const { name, layout, shard, keep } = options
  using interruption = listenForInterruption()
  let exitCode = 1
  try {
    title('a lab: two Gluster sites, VMs that write, a simulated oVirt engine')
    const asked: LabOptions = {
      name,
      layout,
      shard: shard === 'on',
      vms: Number(options.vms),
      disks: 1,
      volumes: 1,
      rate: Number(options.rate),
      engine: true,
      big: 0,
      brokenRsync: false,
    }
    await bringUp(asked, (line) => {
      say(`  ${seconds().padStart(6)} s  ${line}`)
      // A lab cannot be taken down while it is still being built: only between two stages.
      interruption.check()
    })
    interruption.check()
    exitCode = (await interruption.orElse(show(await LabClient.of(name)))) ? 0 : 1
  } catch (error) {
    if (error instanceof Interruption) exitCode = error.exitCode
    say(red(`the demo failed: ${error instanceof Error ? error.message : String(error)}`))
  }
  if (keep && exitCode <= 1) sayHowToGoOn(name)
  else if (await isOwn(name)) await bringDown(name)
  else say(dim(`lab ${name} was there before and stays`))
  title(exitCode === 0 ? green('all as it should be') : red('NOT as it should be'))
  return exitCode
}

async function show(lab: LabClient): Promise<boolean> {
  title('the control: replication without snapshots, as a plain cron job would do it')
  await replicateByHand(lab)
  const control = await proveSecondary(lab)
  const torn = control.filter(({ verdict }) => verdict.verdict === 'torn')
  say(
    textTable(
      ['VM', 'COPY ON THE SECONDARY'],
      control.map(({ vm, verdict }) => [vm.name, describeVerdict(verdict)]),
    ),
  )
  const controlGood = torn.length > 0
  say(
    check(controlGood, `${torn.length} of ${control.length} copies are torn: replication alone is no backup`),
  )

  title(`the run: ${lab.vmbackup().slice(-6).join(' ')}`)
  const before = await lab.writers()
  const report = await runAgent(lab)
  const after = await lab.writers()
  if (report === undefined) return false
  say(
    textTable(
      ['STEP', 'SECONDS'],
      report.steps.map(({ name, ms }) => [name, (ms / 1000).toFixed(1)]),
    ),
  )

  title('the proof')
  const proofGood = await showProof(lab, report, before, after)
  const left = await leftovers(lab)
  for (const what of left) say(red(`left behind: ${what}`))
  say(check(left.length === 0, 'nothing is left behind on either volume or on the engine'))
  const changes = (await lab.requests('changes')).filter(({ path }) => path.includes('/events'))
  say(check(changes.length === 1, 'one closing event was posted on the engine'))

  title('the recovery site: the secondary volume alone, without primary and engine')
  const siteGood = await showRecoverySite(lab)
  return [
    controlGood,
    report.outcome === 'protected',
    proofGood,
    siteGood,
    left.length === 0,
    changes.length === 1,
  ].every(Boolean)
}

async function runAgent(lab: LabClient): Promise<DemoReport | undefined> {
  const [file, ...args] = lab.vmbackup('--json')
  const { stdout, exitCode } = await execa(file, args, {
    stdin: 'ignore',
    stderr: 'inherit',
    reject: false,
  })
  if (exitCode === 0) return reportShape.parse(JSON.parse(stdout))
  say(stdout)
  say(check(false, `vmbackup ended with exit code ${exitCode}`))
  return undefined
}

async function showProof(
  lab: LabClient,
  report: DemoReport,
  before: Awaited<ReturnType<LabClient['writers']>>,
  after: Awaited<ReturnType<LabClient['writers']>>,
): Promise<boolean> {
  const proved = new Map(
    (await proveSecondary(lab, { before, after })).map(({ vm, verdict }) => [vm.id, verdict]),
  )
  const still = await sameAtBothEnds(
    lab,
    report.vms.filter((vm) => vm.consistency === 'offline').map((vm) => vm.id),
  )
  const rows: string[][] = []
  let good = true
  for (const vm of report.vms) {
    const verdict = proved.get(vm.id)
    const proof = provedBy(verdict === undefined ? undefined : describeVerdict(verdict), still.get(vm.id))
    const right = vm.state !== 'protected' || verdict?.verdict === 'exactly' || still.get(vm.id) === true
    good &&= right
    const stall = after.get(vm.id)?.longestStallMs
    rows.push([
      vm.name,
      vm.state,
      vm.state === 'protected' ? (vm.consistency ?? '') : (vm.why ?? ''),
      vm.state === 'protected' ? proof : '-',
      stall === undefined ? '-' : `${Math.round(stall)} ms`,
    ])
  }
  say(
    textTable(['VM', 'STATE', 'CONSISTENCY OR REASON', 'COPY ON THE SECONDARY', 'LONGEST WRITE STALL'], rows),
  )
  say(check(good, 'every protected VM is exactly one moment of its life, over all its disks'))
  return good
}

/** What an administrator can say there; and that `verify` can say no. */
async function showRecoverySite(lab: LabClient): Promise<boolean> {
  const points = await lab.atRecoverySite('points')
  say(points.stdout)
  const proved = await lab.atRecoverySite('verify', '--quiet')
  say(`\n${proved.stdout}`)
  say(check(proved.exitCode === 0, 'every claim of the manifest holds against the volume as it is now'))
  await using volume = await spoiler(lab, 'files')
  const disk = await volume.diskOf('idle')
  await volume.run(flipAt(firstBlock), disk)
  const refuted = await lab.atRecoverySite('verify', '--quiet')
  await volume.run(flipAt(firstBlock), disk)
  const told =
    refuted.stdout.split('\n').find((line) => line.includes('not what was proved')) ?? refuted.stdout
  say(
    check(
      refuted.exitCode === 1,
      `the control, with one bit of a disk flipped: ${told.replace(/ +/g, ' ').trim()}`,
    ),
  )
  return points.exitCode === 0 && proved.exitCode === 0 && refuted.exitCode === 1
}

function provedBy(verdict: string | undefined, same: boolean | undefined): string {
  if (same !== undefined) return same ? 'same digest at both ends' : 'differs from the primary'
  return verdict ?? 'not proved'
}

function check(isGood: boolean, what: string): string {
  return isGood ? green(`✔ ${what}`) : red(`✘ NOT: ${what}`)
}

function sayHowToGoOn(name: string): void {
  say(`
The lab stays up. Go on with:
  scripts/lab status --name ${name}
  scripts/lab exec --name ${name} gp1 -- scripts/vmbackup data gs1 data-dr -c /var/tmp/vmbackup-lab/${name}/backup.cfg
  scripts/lab exec --name ${name} gp1 -- gluster volume geo-replication status
  scripts/lab down --name ${name}`)
}
