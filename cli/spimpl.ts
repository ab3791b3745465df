#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { SpimplError } from '../src/errors.ts'
import { packageVersion } from './composition.ts'
import { devnet } from './devnet.ts'
import { decodeEnr, type NewEnrOptions, newEnr } from './enr.ts'
import { describeMachines } from './machines.ts'
import { HelpRequested, parseDevnetOptions, parseRunOptions } from './options.ts'
import { PrintedOutput } from './output.ts'
import { run } from './run.ts'

const EXIT_USAGE = 2

const HELP = `Usage: spimpl <command> [options]

Actors on serial queues, and a Portal Network node composed with them.

Commands:
  run                runs a Portal history node
  devnet             runs a network of nodes in this process and moves blocks through it
  enr decode <enr>   says what is in a node record
  enr new            makes a node record and, without --private-key, a key for it
  machines [name]    draws the lifecycles (session, stream, child) as Mermaid state diagrams

Every command has --help.`

/** The codes of errors that a user's words or files cause: exit code 2. */
const USER_ERRORS: ReadonlySet<string> = new Set([
  'USAGE',
  'CONFIG_INVALID',
  'FILE_INVALID',
  'KEY_INVALID',
  'ADDRESS_INVALID',
  'EXECUTOR_UNAVAILABLE',
])

const readFile = (path: string): string => readFileSync(path, 'utf8')

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv
  switch (command) {
    case 'run':
      return run(parseRunOptions(rest, process.env, readFile))
    case 'devnet':
      return devnet(parseDevnetOptions(rest, process.env, readFile))
    case 'enr':
      return enr(rest)
    case 'machines':
      return machines(rest)
    case '--version':
    case '-V':
      console.log(packageVersion())
      return 0
    case undefined:
      console.error(HELP)
      return EXIT_USAGE
    case 'help':
    case '--help':
    case '-h':
      console.log(HELP)
      return 0
    default:
      throw new SpimplError(
        'USAGE',
        `expected one of run, devnet, enr, machines, got ${JSON.stringify(command)}; see spimpl --help`,
      )
  }
}

async function enr(argv: readonly string[]): Promise<number> {
  const program = new Command('spimpl enr').description('Reads and makes node records (EIP-778)')
  program
    .command('decode <enr>')
    .description('says what is in a record, and whether its signature is right')
    .option('--json', 'print one line of JSON')
    .action((text: string, options: { readonly json?: boolean }) => console.log(decodeEnr(text, options)))
  program
    .command('new')
    .description('makes a record; without --private-key a key is made and printed')
    .option('--private-key <hex|@file>', 'the key to sign with')
    .option('--seq <n>', 'the sequence number')
    .option('--ip <address>', 'IPv4 address')
    .option('--udp <port>', 'UDP port')
    .option('--tcp <port>', 'TCP port')
    .option('--ip6 <address>', 'IPv6 address')
    .option('--udp6 <port>', 'UDP port for IPv6')
    .option('--tcp6 <port>', 'TCP port for IPv6')
    .option('--network <network>', 'announce the Portal Network of mainnet, sepolia or hoodi')
    .option('--json', 'print one line of JSON')
    .action((options: NewEnrOptions & { readonly json?: boolean }) => {
      const made = newEnr(options)
      if (options.json) return console.log(JSON.stringify({ enr: made.text, ...made, text: undefined }))
      console.log(made.text)
      console.log(`node id      ${made.nodeId}`)
      if (made.privateKey !== undefined) console.log(`private key  ${made.privateKey}`)
    })
  return parse(program, argv)
}

async function machines(argv: readonly string[]): Promise<number> {
  const program = new Command('spimpl machines')
    .description('draws the lifecycles as Mermaid state diagrams, from the machines that run')
    .argument('[name]', 'session, stream or child; all of them without it')
    .option('--json', 'print one line of JSON')
    .action((name: string | undefined, options: { readonly json?: boolean }) =>
      console.log(describeMachines(name, options)),
    )
  return parse(program, argv)
}

/** Runs a command of commander's; what it refuses is a usage error. */
async function parse(program: Command, argv: readonly string[]): Promise<number> {
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput({ writeErr: () => {} })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return 0
    if (error.code === 'commander.help') {
      console.error(program.helpInformation())
      return EXIT_USAGE
    }
    throw new SpimplError('USAGE', error.message.replace(/^error: /, ''))
  }
}

/** The exit code of what ended a command. */
function explain(error: unknown): number {
  if (error instanceof HelpRequested) {
    console.log(error.text.trimEnd())
    return 0
  }
  if (!(error instanceof SpimplError)) {
    console.error(error)
    return 1
  }
  console.error(`spimpl: ${error.message} (${error.code})`)
  return USER_ERRORS.has(error.code) || error.code.startsWith('ENR_') ? EXIT_USAGE : 1
}

const printed = new PrintedOutput()
process.exit(await printed.settle(await main(process.argv.slice(2)).catch(explain)))
