import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the fake says to commands whose words contain `to`, at most `times`; the first rule that fits answers. */
export interface Answer {
  to: string
  out?: string
  err?: string
  code?: number
  times?: number
}

const samples = new URL('../support/samples/gluster/', import.meta.url)

/** A recorded answer of a real gluster. */
export function sample(name: string): Promise<string> {
  return readFile(new URL(`${name}.xml`, samples), 'utf8')
}

/** The same answer as Gluster 9.6 and older gave it. */
export function olderNames(text: string): string {
  return text
    .replaceAll('session_secondary', 'session_slave')
    .replaceAll(/(<\/?)primary/g, '$1master')
    .replaceAll(/(<\/?)secondary/g, '$1slave')
}

/** An executable `gluster` that gives these answers, reached by `prefix`; `asked` lists the commands it was given. */
export async function fakeGluster(answers: readonly Answer[]) {
  const dir = await mkdtemp(join(tmpdir(), 'fake-gluster-'))
  for (const [at, { out = '', err = '' }] of answers.entries()) {
    await writeFile(join(dir, `${at}.out`), out)
    await writeFile(join(dir, `${at}.err`), err)
  }
  const rules = answers.map(({ to, code = 0, times = 1_000_000 }, at) => {
    const left = `[ "$(grep -cx ${at} ${dir}/used)" -lt ${times} ]`
    const say = `echo ${at} >> ${dir}/used; cat ${dir}/${at}.out; cat ${dir}/${at}.err >&2; exit ${code}`
    return `case "$*" in *"${to}"*) if ${left}; then ${say}; fi;; esac`
  })
  const head = [
    '#!/bin/sh',
    `touch ${dir}/used`,
    `echo "$*" >> ${dir}/asked`,
    `echo "$LC_ALL $TZ" > ${dir}/locale`,
  ]
  await writeFile(
    join(dir, 'gluster'),
    [...head, ...rules, 'echo "unrecognized command" >&2; exit 1', ''].join('\n'),
  )
  await chmod(join(dir, 'gluster'), 0o755)
  const read = (name: string) => readFile(join(dir, name), 'utf8').catch(() => '')
  return {
    dir,
    prefix: ['env', `PATH=${dir}:/usr/bin:/bin`],
    asked: async () => (await read('asked')).split('\n').filter((line) => line !== ''),
    locale: async () => (await read('locale')).trim(),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  }
}
