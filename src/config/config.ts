import { dirname, resolve } from 'node:path'
import { UsageError } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import { lookAtAgent } from './agent-checks.ts'
import { webAddress } from './agent-kinds.ts'
import { decode, type Override, type Problem } from './decode.ts'
import { caFileProblem, readText } from './files.ts'
import { type Ini, parseIni } from './ini.ts'
import { type Config, configKeys } from './keys.ts'
import { secret } from './kinds.ts'
import { lookAtPassword, permissionWarnings } from './password.ts'
import { secretWords } from './words.ts'

type Environment = Readonly<Record<string, string | undefined>>

const mostBytes = 256 * 1024
/** A file with more of them is something else, or was spoilt as a whole. */
const mostTold = 50

/**
 * Reads and checks the configuration. Overrides win over the file; `env` is where a password may be found. Throws
 * UsageError that lists all that is wrong, one problem on a line, and never a secret.
 */
export async function readConfig(
  file: string,
  { overrides = [], env }: { overrides?: readonly Override[]; env: Environment },
): Promise<Config> {
  const { text, mode } = await readText(file, 'configuration file', mostBytes, {
    hint: 'name the file with -c; backup.cfg.example is one to start from',
  })
  const ini = parseIni(text)
  const { values, named, problems, warnings } = decode(ini, overrides, dirname(resolve(file)))
  // decode fills every section, and a field that is missing is either optional or among the problems.
  const { job: jobs = [], policy: policies = [], route: routes = [] } = named
  const config = { file, ...values, jobs, policies, routes } as unknown as Config
  const looked = await lookAtConnection(config.connection, ini, env)
  const agent = await lookAtAgent(config, ini)
  const wrong = [...problems, ...looked.problems, ...agent.problems]
  if (wrong.length > 0) throw allOf(file, wrong)
  return {
    ...config,
    warnings: [
      ...[...warnings, ...agent.warnings].map((warning) => worded(file, warning)),
      ...looked.warnings,
      ...openToOthers(file, mode, config),
    ],
  }
}

/** What shows only outside the file: the certificates and the password's source. */
async function lookAtConnection(connection: Config['connection'], ini: Ini, env: Environment) {
  const entries = ini.sections.get('connection')?.keys
  const problems: Problem[] = []
  const add = (key: string, what: string) => {
    const line = entries?.get(key)?.line
    problems.push({ section: 'connection', key, what, ...(line && { line }) })
  }
  const certificates = connection.caFile && (await caFileProblem(connection.caFile))
  if (certificates) add('ca_file', certificates)

  const ways = ['password', 'password_file', 'password_command'].filter((key) => entries?.get(key)?.value)
  const [first = '', ...more] = ways
  for (const key of more) {
    add(key, `is set although ${first} is, in line ${entries?.get(first)?.line}; keep one of them`)
  }
  const { problem, warnings } = await lookAtPassword(connection, env)
  // A way that was tried and is wrong has its own line already.
  if (problem && (ways.length === 0 || problem.key !== 'password')) add(problem.key, problem.what)
  return { problems, warnings }
}

function openToOthers(file: string, mode: number, { connection, mail, routes }: Config): string[] {
  const passwords = [connection.password, mail.password]
  if (passwords.some((one) => one !== undefined))
    return permissionWarnings(`${file} holds a password and`, file, mode)
  if (routes.some(({ webhookSecret }) => webhookSecret !== undefined))
    return permissionWarnings(`${file} holds a secret and`, file, mode)
  if ((mode & 0o022) === 0) return []
  return [`${file} can be changed by others than its owner, and it names commands to run: chmod go-w ${file}`]
}

function allOf(file: string, problems: Problem[]): UsageError {
  const lines = problems
    .toSorted((one, other) => (one.line ?? Infinity) - (other.line ?? Infinity) || 0)
    .slice(0, mostTold)
    .map((problem) => worded(file, problem))
  if (problems.length > mostTold) lines.push(`${file}: and ${problems.length - mostTold} problems more`)
  return new UsageError(`the configuration cannot be used:\n${lines.join('\n')}`, {
    hint: 'backup.cfg.example explains every key',
  })
}

function worded(file: string, { from, line, section, key, what }: Problem): string {
  const where = from ?? (line === undefined ? file : `${file}:${line}`)
  const name = [section && `[${oneLine(section, 60)}]`, key].filter(Boolean).join(' ')
  return `${where}: ${name}${name && ': '}${what}`
}

/** The effective configuration as a file that would give it again, but for secrets, which are left out. */
export function describeConfig(config: Config): string {
  const all = config as unknown as Record<string, Record<string, unknown>>
  const once = [...new Set(configKeys.filter(({ named }) => !named).map(({ section }) => section))]
  const sections = [
    ...once.map((section) => ({ section, title: section, values: all[section] ?? {} })),
    ...config.jobs.map((job) => ({ section: 'job', title: `job ${job.name}`, values: { ...job } })),
    ...config.policies.map((one) => ({ section: 'policy', title: `policy ${one.name}`, values: { ...one } })),
    ...config.routes.map((one) => ({ section: 'route', title: `route ${one.name}`, values: { ...one } })),
  ]
  return sections.map(({ section, title, values }) => `[${title}]\n${linesOf(section, values)}`).join('\n')
}

function linesOf(section: string, values: Record<string, unknown>): string {
  const lines = configKeys
    .filter((row) => row.section === section)
    .map(({ field, key, kind }) => {
      const value = values[field]
      if (value === undefined) return `# ${key} =`
      if (kind === secret || kind === secretWords) return `# ${key} is set and not shown`
      // What comes after the host is a secret with many services.
      if (kind === webAddress) return `# ${key} is set, and not shown beyond ${new URL(String(value)).origin}`
      return `${key} = ${kind.schema.encode(value)}`
    })
  return `${lines.join('\n')}\n`
}
