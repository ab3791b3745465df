/** Strict projects in TypeScript that use every door: declarations are checked too, by two compilers and two resolutions. */
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fails, holds } from './table.mjs'
import { root, run, tool } from './workshop.mjs'

const STRICT = {
  target: 'ES2022',
  lib: ['ES2022'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
}
const RESOLUTIONS = {
  NodeNext: { module: 'NodeNext', moduleResolution: 'NodeNext' },
  Bundler: { module: 'ESNext', moduleResolution: 'Bundler' },
}
const MAX_ERRORS = 3

const COMPILERS = {
  'TypeScript 7': (args, cwd) =>
    run(process.execPath, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...args], { cwd }),
  'TypeScript 5.9': (args, cwd) => tool('tsc-5', args, { cwd }),
}

/** A program that names every symbol of every door. */
export function doorsProgram(doors) {
  const imports = doors.map((door, index) => `import * as door${index} from '${door}'`)
  return `${imports.join('\n')}\n\nfor (const door of [${doors.map((_, index) => `door${index}`)}]) console.log(Object.keys(door).length)\n`
}

/** @param files names of TypeScript files in the folder */
export async function checkCompilers(what, folder, files) {
  const rows = []
  for (const [compiler, compile] of Object.entries(COMPILERS)) {
    for (const [resolution, options] of Object.entries(RESOLUTIONS)) {
      const check = `strict consumer of ${what}: ${compiler}, ${resolution}`
      const project = writeProject(folder, { ...STRICT, ...options, noEmit: true }, files)
      rows.push(compiled(check, await compile(['-p', project], folder)))
    }
  }
  return rows
}

/** The main door of the actors compiles where the types of xstate cannot be found. */
export async function checkWithoutXstate(folder, doors) {
  const xstate = path.join(folder, 'node_modules', 'xstate')
  const program = 'without-xstate.ts'
  writeFileSync(path.join(folder, program), doorsProgram(doors))
  const project = writeProject(folder, { ...STRICT, ...RESOLUTIONS.NodeNext, noEmit: true }, [program])
  renameSync(xstate, `${xstate}.away`)
  try {
    const check = `no type of xstate behind ${doors.join(', ')}`
    return compiled(check, await COMPILERS['TypeScript 7'](['-p', project], folder))
  } finally {
    renameSync(`${xstate}.away`, xstate)
  }
}

/** Writes `NAME.js` beside each `NAME.ts`, for a Node that takes no TypeScript. */
export function toJavaScript(folder, names) {
  const project = writeProject(folder, { ...STRICT, ...RESOLUTIONS.NodeNext, rootDir: '.', outDir: '.' }, names)
  return COMPILERS['TypeScript 7'](['-p', project], folder)
}

let projects = 0

/** @returns the name of its file, which no other project of the folder has */
function writeProject(folder, compilerOptions, files) {
  const name = `tsconfig.${++projects}.json`
  writeFileSync(path.join(folder, name), JSON.stringify({ compilerOptions, files }))
  return name
}

function compiled(check, { code, stdout, stderr }) {
  if (code === 0) return holds(check)
  const errors = `${stdout}${stderr}`.split('\n').filter(line => line.includes('error'))
  return fails(check, `${errors.length} errors: ${errors.slice(0, MAX_ERRORS).join(' ')}`)
}
