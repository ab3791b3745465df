// `npm run consumers [-- --json]`: packs the three packages, installs the tarballs into empty folders, and tries there what users do.
// Prints one table (scripts/consumers/table.mjs) and ends with 1 where something that should hold does not.
//
//     tarballs   what is in them: contents, links, publint, attw
//     installs   packages, megabytes, and warnings
//     compilers  strict projects in TypeScript
//     programs   those of the README and of examples/, on Node, Bun and Deno, and out of bundles
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { checkCompilers, checkMachines, checkWithoutXstate, doorsProgram } from './consumers/compilers.mjs'
import { checkActorsInstall, checkFullInstall, checkWarnings, install } from './consumers/installs.mjs'
import { checkBundles, checkNodes, checkRuntimes, writePrograms } from './consumers/programs.mjs'
import { closing, fails, formatTable } from './consumers/table.mjs'
import { checkTarball, doorsOf, pack } from './consumers/tarballs.mjs'
import { emptyFolder, executable, installTools, root } from './consumers/workshop.mjs'

/** The oldest Node that the packages support. */
const OLDEST_MAJOR = 20
/** What opens where nothing but spimpl-runtime and xstate is installed, and declares no type of xstate. */
const ACTOR_DOORS = ['spimpl-runtime', 'spimpl-runtime/core', 'spimpl-runtime/errors', 'spimpl-runtime/testing']
const MACHINES_DOOR = 'spimpl-runtime/machines'

const say = text => console.error(`spimpl consumers: ${text}`)
const readPage = (...place) => readFileSync(path.join(root, ...place), 'utf8')

async function checkAll() {
  const missingTools = await installTools()
  if (missingTools !== undefined) return [fails('the tools of scripts/tools', missingTools)]
  say('packing')
  let tarballs
  try {
    tarballs = await pack(emptyFolder('tarballs'))
  } catch (error) {
    return [fails('npm pack', error.message)]
  }

  say('installing, and reading the tarballs')
  const oldest = await executable('node', OLDEST_MAJOR)
  const node = oldest.path ?? process.execPath
  const [all, actors, ...read] = await Promise.all([
    install('all', node, tarballs),
    install('actors', node, [tarballs.find(({ name }) => name === 'spimpl-runtime')]),
    ...tarballs.map(checkTarball),
  ])
  const major = oldest.path === undefined ? process.versions.node.split('.', 1)[0] : OLDEST_MAJOR
  const ours = tarballs.map(({ name }) => name)
  const rows = [...read.flat(), checkActorsInstall(actors), checkFullInstall(all, ours), checkWarnings(all, major)]
  if (all.failure !== undefined || actors.failure !== undefined) return rows

  say('compiling strict consumers')
  const programs = [
    ...writePrograms(readPage('README.md'), 'readme', all.folder),
    ...writePrograms(readPage('src', 'runtime', 'README.md'), 'runtime', all.folder),
  ]
  const doors = tarballs.flatMap(doorsOf)
  writeFileSync(path.join(all.folder, 'doors.ts'), doorsProgram(doors.filter(door => door !== MACHINES_DOOR)))
  rows.push(
    ...(await checkCompilers('every door but machines', all.folder, ['doors.ts'])),
    ...(await checkCompilers(
      'the README',
      all.folder,
      programs.map(({ file }) => file),
    )),
    await checkMachines(all.folder, MACHINES_DOOR),
    await checkWithoutXstate(actors.folder, ACTOR_DOORS),
  )

  say('running programs')
  const ran = await Promise.all([
    checkBundles(all.folder, programs[0]),
    checkNodes(all.folder, programs, doors),
    checkRuntimes(all.folder),
  ])
  return [...rows, ...ran.flat()]
}

const rows = await checkAll()
if (process.argv.includes('--json')) console.log(JSON.stringify(rows, undefined, 2))
else {
  console.log(formatTable(rows))
  const failed = rows.filter(({ result }) => result === 'fails')
  if (failed.length > 0)
    console.log(['', '=== what failed', ...failed.map(({ check, note }) => `${check}: ${note}`)].join('\n'))
  console.log(closing(rows))
}
process.exitCode = rows.some(({ result }) => result === 'fails') ? 1 : 0
