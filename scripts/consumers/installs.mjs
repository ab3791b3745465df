/** What an installation from the tarballs brings, and what npm says meanwhile. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { firstColumn } from './page.mjs'
import { fails, verdict } from './table.mjs'
import { bytesOf, complaint, emptyFolder, npm, root } from './workshop.mjs'

/** The first declares what a project in TypeScript has anyway; its packages are not counted. */
const TYPES = '@types/node@20'
const ACTORS_MAX_PACKAGES = 3
const ACTORS_MAX_MB = 6
const MB = 1e6

/** @returns {Promise<{ folder: string, packages: string[], megabytes: number, printed: string, failure?: string }>} */
export async function install(name, node, tarballs) {
  const folder = emptyFolder(name)
  const installed = await npm(node, ['install', '--no-audit', '--no-fund', ...tarballs.map(({ file }) => file)], {
    cwd: folder,
  })
  const printed = installed.stdout + installed.stderr
  if (installed.code !== 0) return { folder, packages: [], megabytes: 0, printed, failure: complaint(installed) }
  const modules = path.join(folder, 'node_modules')
  const lock = JSON.parse(readFileSync(path.join(modules, '.package-lock.json'), 'utf8'))
  const packages = Object.keys(lock.packages)
    .filter(place => existsSync(path.join(folder, place)))
    .map(place => place.split('node_modules/').at(-1))
  const megabytes = bytesOf(modules) / MB
  const types = await npm(process.execPath, ['install', '--no-audit', '--no-fund', '--ignore-scripts', TYPES], {
    cwd: folder,
  })
  return { folder, packages, megabytes, printed, ...(types.code === 0 ? {} : { failure: complaint(types) }) }
}

const size = ({ packages, megabytes }) => `${packages.length} packages, ${megabytes.toFixed(1)} MB`

export function checkActorsInstall(installed) {
  const check = 'install: actors alone'
  if (installed.failure !== undefined) return fails(check, installed.failure)
  const added = installed.packages.filter(name => name !== 'spimpl-runtime')
  const faults = []
  if (added.length > ACTORS_MAX_PACKAGES)
    faults.push(`expected at most ${ACTORS_MAX_PACKAGES} packages: ${added.join(', ')}`)
  if (installed.megabytes > ACTORS_MAX_MB) faults.push(`expected at most ${ACTORS_MAX_MB} MB`)
  return verdict(check, faults, `${size(installed)}; besides ours: ${added.join(', ')}`)
}

/** docs/installing.md says of each package why it is there; packages for one platform stand there with a `*`. */
export function checkFullInstall(installed, ours) {
  const check = 'install: all, and the list in docs/installing.md'
  if (installed.failure !== undefined) return fails(check, installed.failure)
  const listed = firstColumn(
    readFileSync(path.join(root, 'docs', 'installing.md'), 'utf8'),
    'What a full install brings',
  )
  const names = [...new Set(installed.packages)].filter(name => !ours.includes(name))
  const matches = (name, entry) => (entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry)
  const unlisted = names.filter(name => !listed.some(entry => matches(name, entry)))
  const gone = listed.filter(entry => !names.some(name => matches(name, entry)))
  return verdict(
    check,
    [
      ...unlisted.map(name => `${name} is installed and not in the list`),
      ...gone.map(name => `${name} is in the list and not installed`),
    ],
    size(installed),
  )
}

/** What npm prints that a user would worry about. That packages have install scripts is no complaint about them. */
const WORRIES = /EBADENGINE|deprecated|ERESOLVE|peer dep|vulnerabilit/i

export function checkWarnings(installed, version) {
  const check = `install on Node ${version}: no warning`
  if (installed.failure !== undefined) return fails(check, installed.failure)
  return verdict(check, [...new Set(installed.printed.split('\n').filter(line => WORRIES.test(line)))])
}
