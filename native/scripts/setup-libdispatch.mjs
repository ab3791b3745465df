// Makes vendor/libdispatch.so where this system has no libdispatch, from the distribution's own signed package and
// without touching the system: apt runs with a state of its own in a cache folder, and two static archives are taken
// out of the package `swiftlang` and linked into one shared library.
//
//   node scripts/setup-libdispatch.mjs [--force] [--if-possible] [--quiet] [--archives FOLDER]
//
// --quiet            prints nothing if there is nothing to do
// --archives FOLDER  takes libdispatch.a and libBlocksRuntime.a from FOLDER, such as usr/lib/swift_static/linux of a Swift
//                    toolchain
// --if-possible      on a system where this cannot work, says why in one line and exits with 0
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const vendor = path.join(root, 'vendor')
const library = path.join(vendor, 'libdispatch.so')
const has = flag => process.argv.includes(flag)
const say = text => console.error(`setup:libdispatch: ${text}`)

// Where Debian's package keeps what is needed, below usr/libexec/swift/lib or usr/lib.
const ARCHIVES = ['libdispatch.a', 'libBlocksRuntime.a']
const PACKAGE = 'swiftlang'
// The first Debian release that carries the package; older ones can use its static archive.
const FIRST_SUITE = 'trixie'

function stop(reason, work) {
  if (work !== undefined) rmSync(work, { recursive: true, force: true })
  say(reason)
  process.exit(has('--if-possible') ? 0 : 1)
}

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  })
  if (status === 0) return stdout
  throw new Error(`${command}: ${(error?.message ?? stderr ?? '').trim().split('\n').slice(-3).join(' | ')}`)
}

/** The exit code of the trial without the addon, as in a clone that has not been built yet. */
const UNTRIED = 3

/**
 * The reason why no library can be used, or undefined. Found out in a process of its own, because a broken library may
 * abort.
 */
function obstacle() {
  const script = `import { backendInfo } from ${JSON.stringify(path.join(root, 'index.js'))}
    const { addon, libdispatch } = backendInfo()
    if (libdispatch.found) process.exit(0)
    console.log((addon.loaded ? libdispatch.refused : addon.reasons).join('; '))
    process.exit(addon.loaded ? 1 : ${UNTRIED})`
  const { status, signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  if (status === 0) return undefined
  return {
    untried: status === UNTRIED,
    why: stdout.trim() || `the program that tried it ended with ${signal ?? status}`,
  }
}

/**
 * The cache of the two archives. As the XDG specification says, an empty variable counts as unset; so does a home that
 * cannot be written, as in many containers.
 */
function cacheFolder() {
  const home = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache')
  const folder = path.join(home, 'spimpl', `libdispatch-${process.arch}`)
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return folder
  } catch {
    const instead = path.join(vendor, 'cache')
    mkdirSync(instead, { recursive: true })
    return instead
  }
}

function osRelease() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  return Object.fromEntries([...text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm)].map(([, key, value]) => [key, value]))
}

/** A folder of this process alone. Folders of killed runs are removed after a day, because a run takes minutes. */
function workFolder(cache) {
  const yesterday = Date.now() - 24 * 60 * 60 * 1000
  for (const name of readdirSync(cache)) {
    const folder = path.join(cache, name)
    const made = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (name.startsWith('work-') && made < yesterday) rmSync(folder, { recursive: true, force: true })
  }
  return mkdtempSync(path.join(cache, 'work-'))
}

/** The mirror that this system's own apt sources name for its main component. */
function mirror(codename) {
  const targets = run('apt-get', ['indextargets', '--format', '$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)'])
  const line = targets
    .split('\n')
    .map(text => text.split(' '))
    .find(([by, , release, component]) => by === 'Packages' && release === codename && component === 'main')
  return line?.[1]
}

/**
 * Fills the cache with the two archives and the headers. apt checks the signature of the release and the hash of the
 * package. All steps run in `work`, a folder of this process alone, so that neither another process nor an interruption
 * leaves half a cache.
 */
function fetchArchives(cache, work) {
  const { ID, ID_LIKE = '', VERSION_CODENAME } = osRelease()
  if (ID !== 'debian' && !ID_LIKE.split(' ').includes('debian')) {
    throw new Error(
      `this system (${ID ?? process.platform}) has no ${PACKAGE} package that this script knows. Install your ` +
        "distribution's libdispatch or a Swift toolchain, then set SPIMPL_LIBDISPATCH to its libdispatch.so, or run this " +
        'script with --archives FOLDER',
    )
  }
  const uri = mirror(VERSION_CODENAME)
  if (uri === undefined) throw new Error(`apt's sources name no mirror for ${VERSION_CODENAME} main`)
  const apt = path.join(work, 'apt')
  for (const folder of ['lists/partial', 'cache/archives/partial', 'etc'])
    mkdirSync(path.join(apt, folder), { recursive: true })
  const status = path.join(apt, 'status')
  writeFileSync(status, '')
  const keyring = `/usr/share/keyrings/${ID}-archive-keyring.gpg`
  const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : ''
  const options = [
    ['Dir::State', apt],
    ['Dir::State::lists', path.join(apt, 'lists')],
    ['Dir::State::status', status],
    ['Dir::Cache', path.join(apt, 'cache')],
    ['Dir::Etc::sourcelist', path.join(apt, 'etc', 'sources.list')],
    ['Dir::Etc::sourceparts', '-'],
    ['Acquire::Languages', 'none'],
    // Otherwise a mirror that cannot be reached is a warning, and the package merely is not found.
    ['APT::Update::Error-Mode', 'any'],
    // Unprivileged use, and root without the _apt user having access to the cache.
    ['APT::Sandbox::User', 'root'],
  ].flatMap(([key, value]) => ['-o', `${key}=${value}`])
  const suites = ID === 'debian' ? [...new Set([VERSION_CODENAME, FIRST_SUITE])] : [VERSION_CODENAME]
  for (const suite of suites) {
    writeFileSync(
      path.join(apt, 'etc', 'sources.list'),
      `deb ${signed}${uri} ${suite} ${ID === 'ubuntu' ? 'universe' : 'main'}\n`,
    )
    say(`looking for ${PACKAGE} in ${suite}`)
    run('apt-get', [...options, '-q', 'update'])
    const { stdout } = spawnSync('apt-get', [...options, 'download', '--print-uris', PACKAGE], {
      cwd: apt,
      encoding: 'utf8',
    })
    const [, file, bytes] = stdout?.match(/' (\S+) (\d+) /) ?? []
    if (file === undefined) continue
    say(`fetching ${file} (${Math.round(Number(bytes) / 1e6)} MB, of which 0.8 MB are kept)`)
    run('apt-get', [...options, '-q', 'download', PACKAGE], { cwd: apt })
    const deb = readdirSync(apt).find(name => name.endsWith('.deb'))
    extract(path.join(apt, deb), file, cache, work)
    return
  }
  throw new Error(`no suite of ${suites.join(', ')} carries ${PACKAGE}`)
}

function extract(deb, name, cache, work) {
  const unpacked = path.join(work, 'unpacked')
  mkdirSync(unpacked, { recursive: true })
  const tar = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards '*/swift_static/linux/libdispatch.a' '*/swift_static/linux/libBlocksRuntime.a' '*/swift_static/dispatch/*.h' '*/swift_static/os/*.h' '*/swift_static/Block/*.h'`
  run('bash', ['-c', `set -o pipefail; ${tar}`, 'tar', deb, unpacked])
  const found = run('find', [unpacked, '-name', 'swift_static', '-type', 'd']).trim().split('\n')[0]
  if (!found) throw new Error(`${name} has no swift_static folder`)
  for (const folder of ['dispatch', 'os', 'Block']) {
    if (existsSync(path.join(found, folder)))
      cpSync(path.join(found, folder), path.join(cache, 'include', folder), { recursive: true })
  }
  writeFileSync(path.join(cache, 'ORIGIN'), `${name}\n`)
  // Last, because their presence marks the cache as filled.
  for (const archive of ARCHIVES) renameSync(path.join(found, 'linux', archive), path.join(cache, archive))
}

// The archives are built against glibc 2.38 or newer. Three of its symbols are missing in older ones; the definitions
// stay inside the library.
const SHIMS = `
#include <features.h>
#if defined(__GLIBC__) && !__GLIBC_PREREQ(2, 38)
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HIDDEN __attribute__((visibility("hidden")))
HIDDEN size_t strlcpy(char *to, const char *from, size_t size) {
  size_t length = strlen(from);
  if (size > 0) {
    size_t copied = length < size ? length : size - 1;
    memcpy(to, from, copied);
    to[copied] = 0;
  }
  return length;
}
HIDDEN long __isoc23_strtol(const char *text, char **end, int base) { return strtol(text, end, base); }
HIDDEN int __isoc23_sscanf(const char *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int count = vsscanf(text, format, arguments);
  va_end(arguments);
  return count;
}
#endif
`

function link(folder, work) {
  const compiler = [process.env.CC, 'gcc', 'clang', 'cc'].find(
    name => name && spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
  )
  if (compiler === undefined) throw new Error('a C compiler is needed to link the library: install gcc or clang')
  writeFileSync(path.join(work, 'shims.c'), SHIMS)
  const archives = ARCHIVES.map(name => path.join(folder, name))
  run(compiler, [
    ...['-shared', '-fPIC', '-O2', '-o', path.join(work, 'libdispatch.so'), path.join(work, 'shims.c')],
    ...['-Wl,--whole-archive', ...archives, '-Wl,--no-whole-archive', '-Wl,-soname,libdispatch.so', '-Wl,-z,defs'],
    ...['-lpthread', '-ldl', '-lrt'],
  ])
  mkdirSync(vendor, { recursive: true })
  const next = `${library}.${process.pid}`
  cpSync(path.join(work, 'libdispatch.so'), next)
  renameSync(next, library)
  if (existsSync(path.join(folder, 'include')))
    cpSync(path.join(folder, 'include'), path.join(vendor, 'include'), { recursive: true })
  const origin = path.join(folder, 'ORIGIN')
  writeFileSync(path.join(vendor, 'ORIGIN'), existsSync(origin) ? readFileSync(origin) : `${folder}\n`)
}

function givenFolder() {
  const given = process.argv[process.argv.indexOf('--archives') + 1]
  if (given === undefined || given.startsWith('--')) throw new Error('expected a folder after --archives')
  const folder = path.resolve(given)
  const missing = ARCHIVES.filter(name => !existsSync(path.join(folder, name)))
  if (missing.length > 0) throw new Error(`${folder} has no ${missing.join(' and no ')}`)
  return folder
}

if (process.platform !== 'linux') {
  if (!has('--quiet')) say('libdispatch is part of macOS; nothing to do')
} else if (!has('--force') && obstacle() === undefined) {
  if (!has('--quiet'))
    say('a libdispatch was found and passed its test; nothing to do (--force makes one all the same)')
} else {
  let work
  // Ctrl-C reaches apt as well. Its end is handled here, so that half of a large package does not stay behind.
  process.on('SIGINT', () => {})
  try {
    const given = has('--archives') ? givenFolder() : undefined
    const cache = cacheFolder()
    work = workFolder(cache)
    if (given === undefined && !ARCHIVES.every(name => existsSync(path.join(cache, name)))) fetchArchives(cache, work)
    link(given ?? cache, work)
  } catch (error) {
    stop(error.message, work)
  }
  rmSync(work, { recursive: true, force: true })
  const left = obstacle()
  if (left !== undefined && !left.untried && process.env.SPIMPL_LIBDISPATCH !== 'none') {
    stop(`it was made but cannot be used: ${left.why}`)
  }
  say(`${path.relative(process.cwd(), library)} is ${left?.untried ? `made, and not tried yet: ${left.why}` : 'ready'}`)
}
