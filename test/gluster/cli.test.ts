import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Gluster, glusterAt, NotThere } from '../../src/gluster/cli.ts'
import { CommandFailed, hintOf } from '../../src/model/errors.ts'
import { type Answer, fakeGluster, sample } from './fake-gluster.ts'

const { signal } = new AbortController()
const status = ['volume', 'geo-replication', 'data', 'gs1::data-dr', 'status']
const started = await sample('error-start-started')
const busyXml = (await sample('error-busy-config')).replace(/rc=0\s*$/, '')
const busyText = 'Another transaction is in progress for data. Please try again after some time.'
const good = await sample('status-created')

async function withFake<T>(
  answers: Answer[],
  use: (gluster: Gluster, fake: Awaited<ReturnType<typeof fakeGluster>>) => Promise<T>,
) {
  await using fake = await fakeGluster(answers)
  return await use(glusterAt({ prefix: fake.prefix, timeoutMs: 20_000, busyMs: 15_000 }), fake)
}

const failure = (asking: Promise<unknown>): Promise<CommandFailed> =>
  asking.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => (error instanceof CommandFailed ? error : Promise.reject(error)),
  )

test('commands speak English and UTC', async () => {
  await withFake([{ to: 'volume list', out: 'data\n' }], async (gluster, fake) => {
    expect(await gluster.text(['volume', 'list'], signal)).toBe('data')
    expect(await fake.locale()).toBe('C UTC')
    expect(await fake.asked()).toEqual(['--mode=script volume list'])
  })
})

test('each argument reaches a command behind ssh as one, however it looks', async () => {
  await using fake = await fakeGluster([{ to: '', out: 'ok' }])
  // As ssh does it: all arguments after the host joined into one line for a shell.
  await writeFile(join(fake.dir, 'ssh'), `#!/bin/sh\nshift\nPATH=${fake.dir}:/usr/bin:/bin exec sh -c "$*"\n`)
  await writeFile(join(fake.dir, 'gluster'), `#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\n`)
  await chmod(join(fake.dir, 'ssh'), 0o755)
  const gluster = glusterAt({ prefix: [join(fake.dir, 'ssh'), 'root@node'], timeoutMs: 20_000, busyMs: 0 })
  const words = ['volume', "it's $HOME", '; touch here', '*', '']
  expect(await gluster.text(words, signal)).toBe(
    ['--mode=script', ...words].map((word) => `<${word}>`).join('\n'),
  )
})

test.each<[what: string, answer: Omit<Answer, 'to'>, why: string, isAbsent: boolean]>([
  [
    'status of a volume that is not there',
    { err: 'Volume nosuch does not exist', out: 'geo-replication command failed', code: 1 },
    'Volume nosuch does not exist',
    true,
  ],
  [
    'status of a session that is not there',
    {
      out: 'No active geo-replication sessions between data and gs1::nosuch\ngeo-replication command failed',
      code: 1,
    },
    'No active geo-replication sessions',
    true,
  ],
  [
    'start of a session that is not there',
    { err: 'Geo-replication session between data and gs1::nosuch does not exist.', code: 1 },
    'does not exist',
    true,
  ],
  [
    'pause of a paused session',
    { err: 'Geo-replication session between data and gs1::data-dr already Paused.', code: 255 },
    'already Paused',
    false,
  ],
  [
    'resume of a stopped session',
    { err: 'Geo-replication session between data and gs1::data-dr is not Paused.', code: 255 },
    'is not Paused',
    false,
  ],
  ['an unknown option', { err: 'Invalid option', code: 1 }, 'Invalid option', false],
  ['nothing said at all', { code: 3 }, 'no answer', false],
])('%s fails with the reason', async (_what, answer, why, isAbsent) => {
  await withFake([{ to: '', ...answer }], async (gluster) => {
    const failed = await failure(gluster.text(status, signal))
    expect(failed.message).toContain(why)
    expect(failed instanceof NotThere).toBe(isAbsent)
    expect(failed.exitCode).toBe(answer.code)
  })
})

test('an error in XML counts although the exit code is 0', async () => {
  await withFake([{ to: '', out: started }], async (gluster) => {
    expect((await failure(gluster.xml(['start'], signal))).message).toContain(
      'data & gs1::data-dr already started',
    )
  })
})

test('a volume that is not there is told apart in XML', async () => {
  await withFake([{ to: '', out: await sample('volume-info-no-volume') }], async (gluster) => {
    expect(await failure(gluster.xml(['volume', 'info', 'nosuch'], signal))).toBeInstanceOf(NotThere)
  })
})

test('the plain status is asked for the reason when the XML status has none', async () => {
  const answers = [
    { to: '--xml', out: await sample('error-no-session'), code: 2 },
    { to: 'status', err: 'Volume data does not exist', code: 1 },
  ]
  await withFake(answers, async (gluster, fake) => {
    expect((await failure(gluster.xml(status, signal))).message).toContain('Volume data does not exist')
    expect(await fake.asked()).toHaveLength(2)
  })
})

test.each<[string, Answer[]]>([
  ['XML with its number', [{ to: '--xml', out: busyXml, times: 2 }]],
  [
    'plain text where XML was promised',
    [
      { to: '--xml', out: 'geo-replication command failed', code: 2, times: 2 },
      { to: 'status', err: busyText, code: 1, times: 1 },
    ],
  ],
  [
    'a reason that is gone when asked',
    [
      { to: '--xml', out: 'geo-replication command failed', code: 2, times: 1 },
      { to: '--xml', out: good },
      { to: 'status', out: 'MASTER NODE' },
    ],
  ],
])('a busy answer is asked again: %s', async (_what, answers) => {
  await withFake([...answers, { to: '--xml', out: good }, { to: 'status', out: 'fine' }], async (gluster) => {
    await expect(gluster.xml(status, signal)).resolves.toBeDefined()
  })
})

test.each([
  busyText,
  'Another transaction could be in progress. Please try again after some time.',
  'Locking failed on gp2. Please check log file for details.',
])('plain text is repeated after: %s', async (err) => {
  const answers = [
    { to: 'stop', err, code: 1, times: 1 },
    { to: 'stop', out: 'successful' },
  ]
  await withFake(answers, async (gluster) => {
    expect(await gluster.text(['stop'], signal)).toBe('successful')
  })
})

const gone = 'Connection failed. Please check if gluster daemon is operational.'

test.each([gone, 'ssh: connect to host gp1 port 22: Connection refused'])(
  'what is away for a moment is asked again once it was reached: %s',
  async (err) => {
    const answers = [
      { to: 'list', out: 'data' },
      { to: 'stop', err, code: 255, times: 2 },
      { to: 'stop', out: 'successful' },
    ]
    await withFake(answers, async (gluster, fake) => {
      await gluster.text(['list'], signal)
      expect(await gluster.text(['stop'], signal)).toBe('successful')
      expect(await fake.asked()).toHaveLength(4)
    })
  },
)

test('what was never reached is told at once', async () => {
  await withFake([{ to: '', err: gone, code: 1 }], async (gluster, fake) => {
    expect((await failure(gluster.text(['stop'], signal))).message).toContain('gluster daemon')
    expect(await fake.asked()).toHaveLength(1)
  })
})

test('a Gluster that stays busy is given up in time, and says so', async () => {
  await using fake = await fakeGluster([{ to: '', err: busyText, code: 1 }])
  const gluster = glusterAt({ prefix: fake.prefix, timeoutMs: 20_000, busyMs: 300 })
  const failed = await failure(gluster.text(['stop'], signal))
  expect(failed.message).toContain('Another transaction')
  expect(failed.hint).toContain('try again')
  expect((await fake.asked()).length).toBeGreaterThan(1)
})

test.each([
  [
    'glusterd does not run',
    { err: 'Connection failed. Please check if gluster daemon is operational.', code: 1 },
    'systemctl start glusterd',
  ],
  [
    'not root',
    { err: 'ERROR: failed to create logfile "/var/log/glusterfs/cli.log" (Permission denied)', code: 1 },
    'as root',
  ],
  ['no gluster there', { err: 'bash: line 1: gluster: command not found', code: 127 }, 'install it'],
  [
    'a key that is not let in',
    { err: 'root@gp1: Permission denied (publickey,password).', code: 255 },
    'ssh-copy-id',
  ],
  [
    'an unknown host',
    { err: 'ssh: Could not resolve hostname gp9: Name or service not known', code: 255 },
    'its name is right',
  ],
  ['an unknown host key', { err: 'Host key verification failed.', code: 255 }, 'accept the key'],
])('%s gets a hint', async (_what, answer, hint) => {
  await withFake([{ to: '', ...answer }], async (gluster) => {
    expect(hintOf(await failure(gluster.xml(status, signal)))).toContain(hint)
  })
})

test('a program that is not there gets a hint', async () => {
  const gluster = glusterAt({ prefix: ['/no/such/program'], timeoutMs: 20_000, busyMs: 0 })
  const failed = await failure(gluster.text(['volume', 'list'], signal))
  expect(failed.message).toContain('/no/such/program not found')
  expect(failed.hint).toContain('install it')
})

test('a file that may not be run gets a hint', async () => {
  await using fake = await fakeGluster([])
  await chmod(join(fake.dir, 'gluster'), 0o644)
  const gluster = glusterAt({ prefix: [join(fake.dir, 'gluster')], timeoutMs: 20_000, busyMs: 0 })
  expect((await failure(gluster.text(['volume', 'list'], signal))).hint).toContain('as root')
})

test('a command that does not answer is ended at its time-out', async () => {
  await using fake = await fakeGluster([])
  await writeFile(join(fake.dir, 'gluster'), '#!/bin/sh\nexec sleep 60\n')
  const gluster = glusterAt({ prefix: fake.prefix, timeoutMs: 200, busyMs: 0 })
  expect((await failure(gluster.xml(status, signal))).message).toContain('no answer within 0.2 s')
})

test('an abort ends the command and travels as it is', async () => {
  await using fake = await fakeGluster([])
  await writeFile(join(fake.dir, 'gluster'), '#!/bin/sh\nexec sleep 60\n')
  const gluster = glusterAt({ prefix: fake.prefix, timeoutMs: 60_000, busyMs: 0 })
  await expect(gluster.xml(status, AbortSignal.timeout(100))).rejects.toThrow('timeout')
})

test('an answer that is too long is refused', async () => {
  await using fake = await fakeGluster([])
  await writeFile(join(fake.dir, 'gluster'), '#!/bin/sh\nexec head -c 6000000 /dev/zero\n')
  const gluster = glusterAt({ prefix: fake.prefix, timeoutMs: 20_000, busyMs: 0 })
  expect((await failure(gluster.text(['volume', 'list'], signal))).message).toContain('too long')
})

test('XML that is cut off anywhere fails as an unreadable answer', async () => {
  const whole = good.trimEnd()
  for (const length of [1, 60, 200, 500, whole.length - 1]) {
    await withFake([{ to: '', out: whole.slice(0, length) }], async (gluster) => {
      expect((await failure(gluster.xml(status, signal))).message).toContain('cannot be read')
    })
  }
})
