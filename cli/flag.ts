import { Command, CommanderError, Option } from 'commander'
import { type Document, parseDocument } from 'yaml'
import type { z } from 'zod'
import { SpimplError } from '../src/errors.ts'

/** One flag. Its schema reads text, whether from the command line, the environment or the config file. */
export interface Flag<T> {
  /** Without dashes in front: `udp-port`. Also `SPIMPL_UDP_PORT`, and `udp-port` or `udpPort` in the file. */
  readonly name: string
  /** The placeholder of the value in the help text; undefined for a flag without a value. */
  readonly argument: string | undefined
  readonly description: string
  readonly schema: z.ZodType<T, string>
  /** The default, as a user would write it; undefined if the flag may be absent. */
  readonly fallback: string | undefined
  /** Errors give the length of the value, never the value. */
  readonly secret?: true
}

/** A command: its help text, and the argument that it takes besides flags. */
export interface CommandHead {
  readonly name: string
  readonly description: string
  /** `<name>` is required, `[name]` is optional. */
  readonly argument?: { readonly name: string; readonly description: string }
  /** Names of flags of other commands: one config file may serve all commands. */
  readonly elsewhere?: ReadonlySet<string>
}

/** Where a command reads its flags from. */
export interface CommandInput {
  readonly argv: readonly string[]
  readonly env: Environment
  readonly readFile: ReadFile
}

export type FlagTable = Readonly<Record<string, Flag<unknown>>>
export type ValuesOf<F extends FlagTable> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

export type Environment = Readonly<Record<string, string | undefined>>
/** Reads a file as text; throws where it cannot. */
export type ReadFile = (path: string) => string

/** Thrown for `--help`, with the text to print. Not a failure. */
export class HelpRequested extends Error {
  override readonly name = 'HelpRequested'
  readonly text: string

  constructor(text: string) {
    super('help requested')
    this.text = text
  }
}

const CONFIG_FLAG = 'config'

/**
 * The values of all flags, each from the command line, else from the environment, else from the file that `--config`
 * (or SPIMPL_CONFIG) names, else its default. Throws USAGE or CONFIG_INVALID (exit code 2), naming the flag, the value
 * and what was expected.
 */
export function readCommand<F extends FlagTable>(
  command: CommandHead,
  table: F,
  input: CommandInput,
): { readonly flags: ValuesOf<F>; readonly argument: string | undefined } {
  const { given, argument } = parseArguments(command, table, input.argv)
  const configFile = given.get(CONFIG_FLAG) ?? (input.env[variableOf(CONFIG_FLAG)] || undefined)
  const file =
    configFile === undefined
      ? new Map<string, string>()
      : readConfig(configFile, table, command.elsewhere ?? new Set(), input.readFile)

  const values: Record<string, unknown> = {}
  for (const [key, flag] of Object.entries(table)) {
    const variable = variableOf(flag.name)
    const sources = [
      { text: given.get(flag.name), where: `--${flag.name}`, code: 'USAGE' },
      { text: input.env[variable] || undefined, where: `${variable} (--${flag.name})`, code: 'CONFIG_INVALID' },
      { text: file.get(flag.name), where: `${configFile}: ${flag.name}`, code: 'CONFIG_INVALID' },
      { text: flag.fallback, where: `the default of --${flag.name}`, code: 'USAGE' },
    ] as const
    const source = sources.find(({ text }) => text !== undefined)
    if (source?.text === undefined) continue
    const result = flag.schema.safeParse(source.text)
    if (!result.success) {
      const got = flag.secret ? `${source.text.length} characters` : JSON.stringify(excerpt(source.text))
      throw new SpimplError(source.code, `${source.where}: ${result.error.issues[0]!.message}, got ${got}`)
    }
    values[key] = result.data
  }
  return { flags: values as ValuesOf<F>, argument }
}

const variableOf = (name: string): string => `SPIMPL_${name.toUpperCase().replaceAll('-', '_')}`

const excerpt = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}...` : text)

function parseArguments(
  { name, description, argument }: CommandHead,
  table: FlagTable,
  argv: readonly string[],
): { readonly given: ReadonlyMap<string, string>; readonly argument: string | undefined } {
  let help = ''
  const command = new Command(name)
    .description(description)
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: text => {
        help += text
      },
      writeErr: () => {},
    })
    .addHelpText(
      'after',
      `
Flags can also be set in the environment (SPIMPL_LOG_LEVEL=warn) and in the file
of --config (log-level: warn). The command line overrides the environment, which
overrides the file. --no-json turns off a --json that either of them sets.`,
    )
  if (argument !== undefined) command.argument(argument.name, argument.description)
  for (const flag of Object.values(table)) {
    if (flag.argument === undefined) {
      command.option(`--${flag.name}`, flag.description)
      command.addOption(new Option(`--no-${flag.name}`).hideHelp())
      continue
    }
    const fallback = flag.fallback === undefined ? '' : ` (default: ${flag.fallback})`
    command.option(`--${flag.name} <${flag.argument}>`, flag.description + fallback)
  }
  command.option(`--${CONFIG_FLAG} <file>`, 'YAML or JSON file with flags by name')
  try {
    command.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') throw new HelpRequested(help)
    throw new SpimplError('USAGE', error.message.replace(/^error: /, ''))
  }
  const given = new Map<string, string>()
  const options = command.opts<Record<string, string | boolean>>()
  for (const name of [...Object.values(table).map(flag => flag.name), CONFIG_FLAG]) {
    const value = options[camelCase(name)]
    if (value !== undefined) given.set(name, String(value))
  }
  return { given, argument: command.args[0] }
}

const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

/** `udp-port`, `udpPort`, `udp_port` and `UDP_PORT` are the same key. */
const plainName = (name: string): string => name.replace(/[-_]/g, '').toLowerCase()

function readConfig(
  file: string,
  table: FlagTable,
  elsewhere: ReadonlySet<string>,
  readFile: ReadFile,
): Map<string, string> {
  let text: string
  try {
    text = readFile(file)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SpimplError('CONFIG_INVALID', `--config: expected a readable file, got ${file}: ${reason}`, { cause })
  }
  // The failsafe schema keeps scalars as they are written: read as a number, a key of 256 bits would lose most of its
  // digits.
  const document = parseDocument(text, { schema: 'failsafe' })
  const [fault] = document.errors
  if (fault !== undefined) {
    throw new SpimplError('CONFIG_INVALID', `${file}: expected YAML or JSON: ${fault.message.split('\n')[0]}`)
  }
  const content = withoutAliases(file, document)
  if (content === null || content === '') return new Map()
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new SpimplError('CONFIG_INVALID', `${file}: expected flags by name (udp-port: 9009), got something else`)
  }
  const own = new Set(Object.values(table).map(flag => flag.name))
  const names = new Map([...own, ...elsewhere].map(name => [plainName(name), name]))
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(content)) {
    const name = names.get(plainName(key))
    if (name === undefined) {
      const known = [...names.values()].join(', ')
      throw new SpimplError('CONFIG_INVALID', `${file}: expected one of ${known}, got ${JSON.stringify(excerpt(key))}`)
    }
    if (!own.has(name)) continue
    if (values.has(name)) {
      throw new SpimplError('CONFIG_INVALID', `${file}: expected ${name} once, got it again as ${excerpt(key)}`)
    }
    values.set(name, scalarOf(file, name, value))
  }
  return values
}

/** A few nested aliases can expand to a billion values, and no flag needs one: they are refused. */
function withoutAliases(file: string, document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw new SpimplError('CONFIG_INVALID', `${file}: expected no YAML aliases`, { cause })
  }
}

/** A list in the file is the same as values separated by commas on the command line. */
function scalarOf(file: string, name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value.join(',')
  throw new SpimplError('CONFIG_INVALID', `${file}: ${name}: expected a value or a list of values, got a mapping`)
}
