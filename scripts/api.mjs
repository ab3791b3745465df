// `npm run api`: writes docs/api, the reference of every door of the three packages, from the doc comments of the sources.
// `npm run api -- --check`: writes nothing, and ends with 1 where docs/api is not what it would write. CI runs it.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { doorsOfProject } from './api/doors.mjs'
import { installTools, root, tools } from './consumers/workshop.mjs'

const target = path.join(root, 'docs', 'api')

const missing = await installTools()
if (missing !== undefined) {
  console.error(`spimpl api: the tools of scripts/tools are not installable: ${missing}`)
  process.exit(1)
}
const written = mkdtempSync(path.join(tmpdir(), 'spimpl-api-'))
process.on('exit', () => rmSync(written, { recursive: true, force: true }))
const doors = doorsOfProject(root)
await writeReference(written, doors)

if (process.argv.includes('--check')) {
  const differing = differences(target, written)
  for (const file of differing) console.error(`docs/api/${file}: not what the code says; run \`npm run api\``)
  process.exitCode = differing.length === 0 ? 0 : 1
} else {
  rmSync(target, { recursive: true, force: true })
  for (const file of filesOf(written)) {
    mkdirSync(path.dirname(path.join(target, file)), { recursive: true })
    writeFileSync(path.join(target, file), readFileSync(path.join(written, file)))
  }
}

/** TypeDoc reads the sources with the TypeScript of scripts/tools: it knows no TypeScript 7 yet. */
async function writeReference(folder, doors) {
  const require = createRequire(path.join(tools, 'package.json'))
  const { Application } = await import(pathToFileURL(require.resolve('typedoc')))
  const pages = doors.filter(({ page }) => page !== undefined)
  const tsconfig = path.join(folder, 'tsconfig.json')
  const out = path.join(folder, 'out')
  writeFileSync(tsconfig, JSON.stringify(project(pages)))
  const application = await Application.bootstrapWithPlugins({
    tsconfig,
    entryPoints: pages.map(({ source }) => source),
    basePath: root,
    out,
    // `npm run build` has said it.
    skipErrorChecking: true,
    plugin: [require.resolve('typedoc-plugin-markdown')],
    name: 'Reference',
    readme: 'none',
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    hideGenerator: true,
    // Types that no door exports are named in a signature and need no page of their own.
    validation: { notExported: false, invalidLink: false },
    logLevel: 'Error',
    outputFileStrategy: 'modules',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    parametersFormat: 'list',
  })
  const reference = await application.convert()
  if (reference === undefined) process.exit(1)
  for (const module of reference.children ?? []) {
    const source = path.resolve(root, reference.files.getReflectionPath(module) ?? '')
    const door = pages.find(page => page.source === source)
    module.name = door.page
  }
  await application.generateOutputs(reference)
  if (application.logger.hasErrors()) process.exit(1)
  for (const file of filesOf(out)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), `${readFileSync(path.join(out, file), 'utf8').trimEnd()}\n`)
  }
  rmSync(out, { recursive: true })
  rmSync(tsconfig)
  writeFileSync(path.join(folder, 'README.md'), index(doors))
}

/** One program of all packages, in which a door of the runtime is its source and not what was compiled of it. */
function project(pages) {
  const paths = Object.fromEntries(pages.map(({ door, source }) => [door, [source]]))
  return {
    extends: path.join(root, 'tsconfig.base.json'),
    compilerOptions: {
      noEmit: true,
      incremental: false,
      types: ['node'],
      typeRoots: [path.join(root, 'node_modules', '@types')],
      paths,
    },
    files: pages.map(({ source }) => source),
  }
}

function index(doors) {
  const rows = doors.map(({ door, pageOf, text }) => `| [\`${door}\`](${pageOf}.md) | ${text} |`)
  return [
    '# Reference',
    '',
    'Every symbol of every door, from the doc comments of the sources. `npm run api` writes these pages.',
    '',
    '| import | what is behind it |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function filesOf(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

/** Files that are missing in one of two folders, or not the same. */
function differences(kept, made) {
  const names = [...new Set([...filesOf(kept), ...filesOf(made)])].sort()
  const read = (folder, file) =>
    existsSync(path.join(folder, file)) ? readFileSync(path.join(folder, file), 'utf8') : undefined
  return names.filter(file => read(kept, file) !== read(made, file))
}
