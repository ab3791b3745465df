/** What is in the tarballs: the packages are packed as for the registry, unpacked, and read. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { brokenLinks } from './page.mjs'
import { fails, holds, verdict } from './table.mjs'
import { complaint, npm, root, run, tool } from './workshop.mjs'

/**
 * @returns {Promise<{ name: string, file: string, folder: string, files: string[], manifest: object }[]>}
 * @throws Error where a package cannot be packed
 */
export async function pack(folder) {
  const packed = await npm(
    process.execPath,
    ['pack', '--workspaces', '--include-workspace-root', '--json', '--silent', '--pack-destination', folder],
    { cwd: root },
  )
  if (packed.code !== 0) throw new Error(`npm pack ${complaint(packed)}`)
  const tarballs = readdirSync(folder).filter(name => name.endsWith('.tgz'))
  return Promise.all(tarballs.map(name => unpack(path.join(folder, name))))
}

async function unpack(file) {
  const to = `${file}.d`
  mkdirSync(to)
  await run('tar', ['-xzf', file, '-C', to])
  const folder = path.join(to, 'package')
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const files = entries.map(entry => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  return { name: manifest.name, file, folder, files: files.map(name => name.split(path.sep).join('/')), manifest }
}

/** The specifiers that a package offers, but patterns and its package.json. */
export const doorsOf = ({ name, manifest }) =>
  Object.keys(manifest.exports)
    .filter(door => !door.includes('*') && door !== './package.json')
    .map(door => name + door.slice(1))

export async function checkTarball(tarball) {
  return [contents(tarball), links(tarball), await lint(tarball), await types(tarball)]
}

const NEEDED = ['package.json', 'README.md', 'LICENSE']
/** What tells a build or a test apart, and has no reader in another project. */
const UNWANTED = /(\.tsbuildinfo|\.map|\.test\.js|\.log|(^|\/)\.[^/]+)$/
const METADATA = ['description', 'keywords', 'license', 'engines', 'exports', 'files']

function contents({ name, folder, files, manifest }) {
  const faults = [
    ...NEEDED.filter(file => !files.includes(file)).map(file => `${file} is missing`),
    ...files.filter(file => UNWANTED.test(file)).map(file => `${file} is shipped`),
    ...METADATA.filter(key => manifest[key] === undefined).map(key => `package.json has no "${key}"`),
  ]
  for (const file of files.filter(name => /\.(js|mjs|ts)$/.test(name))) {
    const text = readFileSync(path.join(folder, file), 'utf8')
    const [, map] = text.match(/^\/\/# sourceMappingURL=(.+)$/m) ?? []
    if (map !== undefined && !files.includes(path.posix.join(path.posix.dirname(file), map))) {
      faults.push(`${file} refers to ${map}, which is not shipped`)
    }
    if (file.endsWith('.d.ts') && text.includes('@internal')) faults.push(`${file} declares an @internal member`)
  }
  return verdict(`contents: ${name}`, faults.slice(0, 5), `${files.length} files`)
}

function links({ name, folder, files }) {
  const pages = files.filter(file => file.endsWith('.md'))
  const faults = pages.flatMap(file =>
    brokenLinks(file, readFileSync(path.join(folder, file), 'utf8'), files).map(
      target => `${file} links to ${target}, which is not in the tarball`,
    ),
  )
  return verdict(`links: ${name}`, faults.slice(0, 5), `${pages.length} pages`)
}

async function lint({ name, file }) {
  const linted = await tool('publint', [file, '--strict'])
  const isClean = linted.code === 0 && linted.stdout.includes('All good!')
  const check = `publint: ${name}`
  if (isClean) return holds(check)
  const lines = linted.stdout.split('\n').slice(3)
  return fails(check, lines.filter(line => line.trim() !== '').join(' ') || complaint(linted))
}

/** The packages have ES modules only, which Node has required too since 20.19; so attw's profile is the one for that. */
async function types({ name, file }) {
  const checked = await tool('attw', [file, '--profile', 'esm-only', '--format', 'json'])
  const check = `are the types wrong: ${name}`
  let analysis
  try {
    analysis = JSON.parse(checked.stdout).analysis
  } catch {
    return fails(check, complaint(checked))
  }
  if (checked.code === 0 && analysis.types !== false) return holds(check)
  const kinds = new Set((analysis.problems ?? []).map(({ kind, entrypoint }) => `${kind} ${entrypoint ?? ''}`.trim()))
  return fails(check, kinds.size > 0 ? [...kinds].join(', ') : 'the package declares no types')
}
