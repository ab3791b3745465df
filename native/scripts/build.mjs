// Builds build/Release/node_dispatch_addon.node with the tools of this machine and downloads nothing: the headers are
// those beside the running node, the build tool is npm's own node-gyp, or else the compiler itself.
//
//   node scripts/build.mjs [--force] [--direct] [--if-possible] [--prebuild]
//
// --if-possible  does nothing if a prebuild loads; without a compiler it says so and exits with 0
// --direct       calls the compiler, even if node-gyp is found
// --prebuild     copies the result to prebuilds/PLATFORM-ARCH/
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const output = path.join(root, 'build', 'Release', 'node_dispatch_addon.node')
const has = flag => process.argv.includes(flag)
const prebuild = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'node_dispatch_addon.node')
// Folders are listed as well: removing a file changes the time of its folder.
const sources = readdirSync(path.join(root, 'src'), { recursive: true }).map(file => path.join(root, 'src', file))

/** The folder that holds include/node of the node that runs this. */
function headers() {
  const candidates = [
    path.dirname(path.dirname(realpathSync(process.execPath))),
    process.env.npm_config_nodedir,
    '/usr',
    '/usr/local',
  ]
  const major = process.versions.node.split('.')[0]
  for (const folder of candidates) {
    if (!folder || !existsSync(path.join(folder, 'include', 'node', 'node_api.h'))) continue
    const answer = spawnSync('grep', [
      '-c',
      `NODE_MAJOR_VERSION ${major}$`,
      path.join(folder, 'include/node/node_version.h'),
    ])
    if (answer.status === 0) return folder
  }
  return undefined
}

/** npm's own node-gyp: beside the npm that runs this script, or beside node. */
function nodeGyp() {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)))
  const onPath = (process.env.PATH ?? '')
    .split(path.delimiter)
    .map(folder => path.join(folder, 'npm'))
    .filter(file => existsSync(file))
    .map(file => path.dirname(path.dirname(realpathSync(file))))
  const folders = [
    process.env.npm_execpath && path.dirname(path.dirname(process.env.npm_execpath)),
    ...onPath,
    path.join(prefix, 'lib', 'node_modules', 'npm'),
  ]
  return folders
    .filter(folder => folder)
    .map(folder => path.join(folder, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'))
    .find(file => existsSync(file))
}

/** The first of $CXX, g++ and clang++ that answers. */
function compiler() {
  const candidates = [process.env.CXX, 'g++', 'clang++', 'c++'].filter(name => name)
  return candidates.find(name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

function upToDate() {
  if (has('--force') || !existsSync(output)) return false
  const built = statSync(output).mtimeMs
  return [...sources, path.join(root, 'binding.gyp')].every(file => statSync(file).mtimeMs <= built)
}

function giveUp(reason) {
  if (has('--if-possible')) {
    console.error(`node-dispatch-addon: not built (${reason}); everything works without it`)
    process.exit(0)
  }
  console.error(`node-dispatch-addon: cannot build: ${reason}`)
  process.exit(1)
}

function withNodeGyp(gyp, nodedir) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [gyp, 'rebuild', `--nodedir=${nodedir}`, '--loglevel=error'],
    { cwd: root, encoding: 'utf8', env: { ...process.env, npm_config_nodedir: nodedir } },
  )
  if (status !== 0) console.error(`${stdout}\n${stderr}`.trim().split('\n').slice(-20).join('\n'))
  return status === 0
}

function withCompiler(cxx, nodedir) {
  mkdirSync(path.dirname(output), { recursive: true })
  const mac = process.platform === 'darwin'
  const flags = ['-std=c++17', '-O2', '-Wall', '-Wextra', '-fPIC', '-fvisibility=hidden', '-DNAPI_VERSION=8']
  const link = mac
    ? ['-bundle', '-undefined', 'dynamic_lookup', '-framework', 'Network']
    : ['-shared', '-static-libgcc', '-ldl', '-lpthread']
  const files = sources.filter(file => file.endsWith('.cc'))
  const { status } = spawnSync(
    cxx,
    [...flags, `-I${path.join(nodedir, 'include', 'node')}`, ...files, ...link, '-o', output],
    { cwd: root, stdio: ['ignore', process.stderr, 'inherit'] },
  )
  return status === 0
}

/** In a process of its own, because a library for another system may crash it. */
function prebuildLoads() {
  if (!existsSync(prebuild)) return false
  return spawnSync(process.execPath, ['-e', `require(${JSON.stringify(prebuild)})`], { stdio: 'ignore' }).status === 0
}

// A package with a prebuild that works here needs no compiler.
if (has('--if-possible') && prebuildLoads()) process.exit(0)
if (!upToDate()) {
  if (process.platform === 'win32') giveUp('libdispatch is not on Windows, and the addon is not either')
  const nodedir = headers()
  if (nodedir === undefined) giveUp('the headers of this node (include/node/node_api.h) were not found beside it')
  const cxx = compiler()
  if (cxx === undefined) giveUp('neither g++ nor clang++ was found')
  const gyp = has('--direct') ? undefined : nodeGyp()
  const started = Date.now()
  const way = gyp !== undefined && withNodeGyp(gyp, nodedir) ? 'node-gyp' : withCompiler(cxx, nodedir) ? cxx : undefined
  if (way === undefined) giveUp('the compiler refused, see above')
  console.error(`node-dispatch-addon: built with ${way} in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}
if (has('--prebuild')) {
  mkdirSync(path.dirname(prebuild), { recursive: true })
  copyFileSync(output, prebuild)
  console.error(`node-dispatch-addon: ${path.relative(root, prebuild)}`)
}
