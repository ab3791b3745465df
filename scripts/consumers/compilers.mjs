/** Strict projects in TypeScript that use every door: declarations are checked too, by two compilers and two resolutions. */
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fails, holds } from './table.mjs'
import { compiler, root, run } from './workshop.mjs'

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
  'TypeScript 7': path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
  'TypeScript 5.9': compiler('typescript-5'),
}

const compile = (name, folder, project) => run(process.execPath, [COMPILERS[name], '-p', project], { cwd: folder })

/** A program that names every symbol of every door. */
export function doorsProgram(doors) {
  const imports = doors.map((door, index) => `import * as door${index} from '${door}'`)
  return `${imports.join('\n')}\n\nfor (const door of [${doors.map((_, index) => `door${index}`)}]) console.log(Object.keys(door).length)\n`
}

/** @param files names of TypeScript files in the folder */
export async function checkCompilers(what, folder, files) {
  const rows = []
  for (const name of Object.keys(COMPILERS)) {
    for (const [resolution, options] of Object.entries(RESOLUTIONS)) {
      const check = `strict consumer of ${what}: ${name}, ${resolution}`
      const project = writeProject(folder, { ...STRICT, ...options, noEmit: true }, files)
      rows.push(compiled(check, await compile(name, folder, project)))
    }
  }
  return rows
}

/** The door for machines names types of xstate 5.33, whose own declarations contradict each other under one of the options. */
export async function checkMachines(folder, door) {
  const file = 'machines.ts'
  writeFileSync(path.join(folder, file), doorsProgram([door]))
  const options = { ...STRICT, ...RESOLUTIONS.NodeNext, noEmit: true, exactOptionalPropertyTypes: false }
  const check = `strict consumer of ${door}, as far as xstate's declarations are: TypeScript 7, NodeNext`
  const row = compiled(check, await compile('TypeScript 7', folder, writeProject(folder, options, [file])))
  return row.note === ''
    ? { ...row, note: 'without exactOptionalPropertyTypes, under which xstate itself does not compile' }
    : row
}

/** The doors of the actors compile where the types of xstate cannot be found. */
export async function checkWithoutXstate(folder, doors) {
  const xstate = path.join(folder, 'node_modules', 'xstate')
  const file = 'without-xstate.ts'
  writeFileSync(path.join(folder, file), doorsProgram(doors))
  const project = writeProject(folder, { ...STRICT, ...RESOLUTIONS.NodeNext, noEmit: true }, [file])
  renameSync(xstate, `${xstate}.away`)
  try {
    return compiled(`no type of xstate behind ${doors.join(', ')}`, await compile('TypeScript 7', folder, project))
  } finally {
    renameSync(`${xstate}.away`, xstate)
  }
}

/**
 * Writes `NAME.js` beside each `NAME.ts`, for a Node that takes no TypeScript and for rollup. Whether the types are right is not its
 * question: a program without its JavaScript fails when it is run.
 */
export async function toJavaScript(folder, names) {
  const options = { ...STRICT, ...RESOLUTIONS.NodeNext, skipLibCheck: true, rootDir: '.', outDir: '.' }
  await compile('TypeScript 7', folder, writeProject(folder, options, names))
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
