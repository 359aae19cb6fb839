import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'

const scripts = join(import.meta.dirname, '../../scripts')
const run = (script: string, ...words: string[]) => execa(join(scripts, script), words, { reject: false })

test('scripts/install names the parts there are when it is asked for another', async () => {
  const { exitCode, stderr } = await run('install', 'nonsense')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('there are: node, lab')
})

test('scripts/install node is silent when nothing is missing', async () => {
  expect(await run('install', 'node')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
})

test('exec in a lab that is not up ends with 125 and says so', async () => {
  const { exitCode, stderr } = await run('lab', 'exec', '--name', 'no-such-lab', 'gp1', '--', 'true')
  expect(exitCode).toBe(125)
  expect(stderr).toContain('node gp1 of lab no-such-lab is not running')
})

test('exec takes no path for a name', async () => {
  const { exitCode, stderr } = await run('lab', 'exec', '--name', '../etc', 'gp1', '--', 'true')
  expect(exitCode).toBe(125)
  expect(stderr).toContain('usage: scripts/lab exec')
})

test('the status of a lab that is not there is down', async () => {
  const { stdout } = await run('lab', 'status', '--name', 'no-such-lab', '--json')
  expect(JSON.parse(stdout)).toEqual({ name: 'no-such-lab', state: 'down' })
})

test('a lab name that is no plain word is refused', async () => {
  const { exitCode, stderr } = await run('lab', 'up', '--name', 'a/b')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('small letters, digits and dashes')
})
