import { join } from 'node:path'
import { costsPerVm, movingFigures, readingFigures, watchFigures } from './engine/figures.ts'
import { type Moving, move, processes, type Reading, read, watch } from './engine/measure.ts'
import { plots } from './engine/plots.ts'
import type { ScriptEnd } from './engine/script-process.ts'
import type { Section } from './figure.ts'

const sizes = [1_000, 4_000]
const largest = 10_000
const sample = 200
const widths = [4, 32]
/** How often each slot is used. */
const rounds = 5
const scriptVms = 3
const watched = { jobs: 4, runs: 3 }

/** A large engine: what reading, acting on and watching 10,000 VMs costs both sides. */
export const section: Section = {
  title: 'Large engine',
  needsLab: false,
  async measure(bench) {
    const { engineWith } = await processes(bench)
    const readings: Reading[] = []
    for (const vms of sizes) {
      bench.say(`an engine with ${vms} VMs`)
      await using engine = await engineWith(vms)
      readings.push(await read(engine, vms, sample))
    }
    bench.say(`an engine with ${largest} VMs`)
    await using engine = await engineWith(largest)
    readings.push(await read(engine, largest, sample))

    const movings: Moving[] = []
    const scripts: ScriptEnd[] = []
    for (const parallel of widths) {
      const vms = rounds * parallel
      bench.say(`snapshots and merges of ${vms} VMs, ${parallel} at once`)
      const order = { parallel, vms, from: 1_000 * (1 + movings.length) }
      // It waits for nearly all of its time, and is over before the first run is.
      const beside = async (): Promise<{ requests: number }> => {
        if (scripts.length > 0) return { requests: 0 }
        const end = await engine.script({ backUp: { from: largest - scriptVms, vms: scriptVms } })
        scripts.push(end)
        return end
      }
      movings.push(await move(engine, join(bench.dir, `run-${parallel}`), order, beside))
    }
    bench.say(`the agent's loop over ${largest} VMs`)
    const watching = await watch(engine, join(bench.dir, 'watch'), watched)
    return {
      figures: [
        ...readings.flatMap(readingFigures),
        ...scripts.flatMap((script) => movings.flatMap((moving) => movingFigures(moving, script))),
        ...watchFigures(watching, watched),
      ],
      facts: costsPerVm(readings.at(-1), movings.at(-1)),
      plots: plots(readings),
      how,
    }
  },
}

const how = `The lab's simulated engine with ${[...sizes, largest].map((vms) => vms.toLocaleString('en')).join(', ')} VMs of 2 disks each, without real disks, over https on the loopback in a process of its own; the agent's side, built as it is shipped, in another one. To plan = sign on, preflight's questions to the engine, the whole inventory, the plan. Snapshots take the engine 5 s and merges 8 s, each of their steps up to three tenths less or more; ${widths.map((one) => one * rounds).join(', ')} of ${largest.toLocaleString('en')} VMs are moved through ${widths.join(', ')} slots, with freezing, lock, lease and ledger, between two readings of the whole inventory. Busy = jobs running at the engine, from the first start to the last one. The script asks for each thing of each VM by itself, takes one VM after the other and looks every 10 s: measured for ${sample} VMs when it reads, ${scriptVms} when it acts (beside the first run). Memory is the most that the process ever had (VmHWM).`
