#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { nodeComposition } from '../node/composition/node-composition.ts'
import { packageVersion } from '../node/options/client-version.ts'
import { SpimplError } from '../src/errors.ts'
import { devnet } from './devnet.ts'
import { decodeEnr, newEnr } from './enr.ts'
import { describeMachines } from './machines.ts'
import {
  HelpRequested,
  parseCompositionOptions,
  parseDecodeEnrOptions,
  parseDevnetOptions,
  parseMachinesOptions,
  parseNewEnrOptions,
  parseRunOptions,
} from './options.ts'
import { PrintedOutput } from './output.ts'
import { run } from './run.ts'

const EXIT_USAGE = 2

const HELP = `Usage: spimpl <command> [options]

Actors on serial queues, and a Portal Network node composed with them.

Commands:
  run                runs a Portal history node
  devnet             runs a network of nodes in one process and moves blocks through it
  enr decode <enr>   shows the content of a node record
  enr new            makes a node record and, without --private-key, a new key
  composition        prints the actors of a node as a table or a Mermaid flowchart
  machines [name]    prints lifecycles (session, stream, child) as Mermaid diagrams

Every command has --help.`

const ENR_HELP = `Usage: spimpl enr <command> [options]

Reads and makes node records (EIP-778).

Commands:
  decode <enr>  shows the content of a record, and whether its signature is valid
  new           makes a record; without --private-key, a new key is made and printed

Both have --help.`

/** Codes of errors caused by the user's arguments or files: exit code 2. */
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
    case 'composition':
      return composition(rest)
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
        `expected one of run, devnet, enr, composition, machines, got ${JSON.stringify(command)}; see spimpl --help`,
      )
  }
}

function enr([command, ...rest]: readonly string[]): number {
  switch (command) {
    case 'decode': {
      const { enr, json } = parseDecodeEnrOptions(rest, process.env, readFile)
      console.log(decodeEnr(enr, { json }))
      return 0
    }
    case 'new': {
      const { json, ...options } = parseNewEnrOptions(rest, process.env, readFile)
      const made = newEnr(options)
      if (json) {
        console.log(JSON.stringify({ enr: made.text, ...made, text: undefined }))
        return 0
      }
      console.log(made.text)
      console.log(`node id      ${made.nodeId}`)
      if (made.privateKey !== undefined) console.log(`private key  ${made.privateKey}`)
      return 0
    }
    case undefined:
      console.error(ENR_HELP)
      return EXIT_USAGE
    case 'help':
    case '--help':
    case '-h':
      console.log(ENR_HELP)
      return 0
    default:
      throw new SpimplError(
        'USAGE',
        `expected one of decode, new, got ${JSON.stringify(command)}; see spimpl enr --help`,
      )
  }
}

function composition(argv: readonly string[]): number {
  const { mermaid, json } = parseCompositionOptions(argv, process.env, readFile)
  const node = nodeComposition()
  console.log(json ? JSON.stringify(node.rows) : mermaid ? node.toMermaid() : node.toText())
  return 0
}

function machines(argv: readonly string[]): number {
  const { name, json } = parseMachinesOptions(argv, process.env, readFile)
  console.log(describeMachines(name, { json }))
  return 0
}

/** Prints why a command ended. Returns its exit code. */
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
