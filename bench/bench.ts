#!/usr/bin/env node
/** `npm run bench -- NAME [--json]`: runs one twin, dist/bench/NAME.js, and prints its figures. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type BenchOptions, type BenchReport, machine, table } from './report.ts'

const harness = new Set(['bench', 'measurement', 'peers', 'report'])
const directory = path.dirname(fileURLToPath(import.meta.url))

const names = readdirSync(directory)
  .filter(file => file.endsWith('.js'))
  .map(file => file.slice(0, -'.js'.length))
  .filter(name => !harness.has(name))
  .sort()

const usage = `usage: npm run bench -- NAME [--json] [--runs N] [--quick]

  NAME      one of: ${names.join(', ')}
  --json    one line: {bench, machine, rows: [{subject, peer, metric, unit, median, min, max, runs}], ratios, notes}
  --runs N  how many runs each figure takes
  --list    the names, one a line
  --quick   fewer and shorter runs: to see that it works, not to quote
`

function refuse(problem: string): never {
  console.error(`bench: ${problem}\n\n${usage}`)
  process.exit(2)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        runs: { type: 'string' },
      },
    })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

const { values, positionals } = readArguments()
if (values.list) {
  console.log(names.join('\n'))
  process.exit(0)
}
if (values.help || positionals.length === 0) {
  console.log(usage)
  process.exit(values.help ? 0 : 2)
}
const [name] = positionals
if (positionals.length > 1) refuse(`expected one name, got ${positionals.join(' ')}`)
if (name === undefined || !names.includes(name)) refuse(`expected a name of the list, got ${name}`)
const runs = values.runs === undefined ? undefined : Number(values.runs)
if (runs !== undefined && !(Number.isInteger(runs) && runs > 0))
  refuse(`expected --runs N with N > 0, got ${values.runs}`)

const twin = (await import(pathToFileURL(path.join(directory, `${name}.js`)).href)) as {
  readonly run: (options: BenchOptions) => Promise<BenchReport>
}
const report = await twin.run({ quick: values.quick, runs })
console.log(values.json ? JSON.stringify({ bench: name, machine: machine(), ...report }) : table(name, report))
// Peers keep sockets and timers open; the figures are out.
process.exit(0)
