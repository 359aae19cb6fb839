import { copyFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

const root = join(import.meta.dirname, '../../..')

/** Builds the processes of this section as the program is built, so that no compiler counts as the agent's memory; tells where a file has got to. */
export async function build(dir: string): Promise<(file: string) => string> {
  const outDir = join(dir, 'built')
  const config = join(dir, 'tsconfig.json')
  const settings = {
    extends: join(root, 'scripts/tsconfig.build.json'),
    compilerOptions: {
      outDir,
      rootDir: root,
      sourceMap: false,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [join(import.meta.dirname, '*-process.ts')],
    exclude: [],
  }
  await writeFile(config, JSON.stringify(settings))
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'))
  await copyFile(join(root, 'package.json'), join(dir, 'package.json'))
  await execa(join(root, 'node_modules/.bin/tsc'), ['-p', config])
  return (file) => join(outDir, 'test/bench/engine', file)
}
