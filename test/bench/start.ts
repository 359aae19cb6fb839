import { cp, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { type Figure, type Section, timesAsMuch } from './figure.ts'
import { medianOf } from './middle.ts'

const root = join(import.meta.dirname, '../..')
const times = 20

/** Start-up: what each command costs before it does anything. */
export const section: Section = {
  title: 'Start-up',
  needsLab: false,
  async measure({ dir, signal }) {
    await install(dir)
    const bare = ['-e', '0']
    const figures: Figure[] = []
    for (const option of ['--version', '--help']) {
      const [ours, theirs] = await medians([[join(dir, 'dist/main.js'), option], bare], signal)
      figures.push({
        what: `vmbackup ${option}`,
        ours: { value: ours, unit: 's' },
        theirs: { who: 'node -e 0', value: theirs, unit: 's' },
        ratio: timesAsMuch(ours, theirs),
        goal: { of: 'ratio', must: 'be at most', limit: 2 },
      })
    }
    return { figures, how: `The built program; medians of ${times} starts each, taken in turn.` }
  },
}

/** As npm would lay it out; the packages are those of this checkout. */
async function install(dir: string): Promise<void> {
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'))
  const { files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { files: string[] }
  // What is built is made below; the rest is taken as it is.
  for (const file of ['package.json', ...files.filter((name) => name !== 'dist')])
    await cp(join(root, file), join(dir, file), { recursive: true })
  const build = ['-p', join(root, 'scripts/tsconfig.build.json'), '--outDir', join(dir, 'dist')]
  await execa(join(root, 'node_modules/.bin/tsc'), build)
}

/** Of the seconds that each of these commands takes, run in turn so that both see the same machine. */
async function medians(commands: [string[], string[]], signal: AbortSignal): Promise<[number, number]> {
  const taken: [number[], number[]] = [[], []]
  for (let turn = 0; turn < times; turn++) {
    for (const index of [0, 1] as const) {
      const at = performance.now()
      await execa(process.execPath, commands[index], { cancelSignal: signal, cwd: root })
      taken[index].push((performance.now() - at) / 1000)
    }
  }
  return [medianOf(taken[0]), medianOf(taken[1])]
}
