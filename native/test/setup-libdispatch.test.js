// What `npm run setup:libdispatch` says where it cannot do its work. Each case ends before anything of the package
// changes.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ava from 'ava'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const script = path.join(root, 'scripts', 'setup-libdispatch.mjs')
const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1]
const test = process.platform === 'linux' ? ava : ava.skip
const withApt = codename !== undefined && /^ID(_LIKE)?=.*debian/m.test(release) ? test : ava.skip

function scratch(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'setup-libdispatch-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function setup(cwd, args, env) {
  const { status, stderr } = spawnSync(process.execPath, [script, '--force', ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  return { status, said: stderr.trim() }
}

/** A machine without a network: apt knows its mirror and does not reach it. */
function offline(folder, before = ':') {
  const bin = path.join(folder, 'bin')
  mkdirSync(bin)
  const apt = path.join(bin, 'apt-get')
  const lines = [
    '#!/bin/sh',
    `[ "$1" = indextargets ] && echo "Packages http://mirror.invalid/debian ${codename} main" && exit 0`,
    before,
    // As apt does: a warning and no error, unless it is told that any failure is one.
    'case "$*" in *Error-Mode=any*) echo "E: Failed to fetch InRelease" >&2; exit 100;; *) exit 0;; esac',
  ]
  writeFileSync(apt, `${lines.join('\n')}\n`)
  chmodSync(apt, 0o755)
  return { PATH: `${bin}${path.delimiter}${process.env.PATH}` }
}

test('--archives wants a folder with both archives', t => {
  const cache = scratch(t)
  const env = { XDG_CACHE_HOME: cache }
  t.deepEqual(setup(cache, ['--archives'], env), {
    status: 1,
    said: 'setup:libdispatch: expected a folder after --archives',
  })
  writeFileSync(path.join(cache, 'libdispatch.a'), '')
  const { status, said } = setup(cache, ['--archives', cache], env)
  t.is(status, 1)
  t.is(said, `setup:libdispatch: ${cache} has no libBlocksRuntime.a`)
})

withApt('a mirror that cannot be reached is said, and nothing half done stays in the cache', t => {
  const cache = scratch(t)
  const { status, said } = setup(cache, [], { ...offline(cache), XDG_CACHE_HOME: cache })
  t.is(status, 1)
  t.regex(said, /Failed to fetch/)
  t.deepEqual(readdirSync(path.join(cache, 'spimpl', `libdispatch-${process.arch}`)), [])
  t.is(setup(cache, ['--if-possible'], { ...offline(scratch(t)), XDG_CACHE_HOME: cache }).status, 0)
})

withApt('an interruption leaves nothing in the cache, nor does one of long ago', t => {
  const cache = scratch(t)
  const folder = path.join(cache, 'spimpl', `libdispatch-${process.arch}`)
  const [old, recent] = ['work-old', 'work-recent'].map(name => path.join(folder, name))
  mkdirSync(old, { recursive: true })
  mkdirSync(recent)
  const longAgo = Date.now() / 1000 - 100_000
  utimesSync(old, longAgo, longAgo)
  const interrupted = offline(cache, 'kill -INT $PPID; exit 130')
  t.is(setup(cache, [], { ...interrupted, XDG_CACHE_HOME: cache }).status, 1)
  t.deepEqual(readdirSync(folder), ['work-recent'])
})

withApt("a home that cannot be written and an empty XDG_CACHE_HOME stand in nobody's way", t => {
  const folder = scratch(t)
  const file = path.join(folder, 'file')
  writeFileSync(file, '')
  const env = { ...offline(folder), HOME: file, XDG_CACHE_HOME: '' }
  // It comes as far as the mirror, and leaves nothing in the folder it was called in.
  t.regex(setup(folder, [], env).said, /Failed to fetch/)
  t.deepEqual(readdirSync(folder).sort(), ['bin', 'file'])
})

const compiler = ['cc', 'gcc', 'clang'].find(name => spawnSync(name, ['--version']).status === 0)
const withCompiler = compiler !== undefined && spawnSync('ar', ['--version']).status === 0 ? test : ava.skip

withCompiler('in a clone whose addon is not built the library is made, and said to be untried', t => {
  const folder = scratch(t)
  const clone = path.join(folder, 'clone')
  mkdirSync(path.join(clone, 'scripts'), { recursive: true })
  for (const part of ['index.js', 'package.json', 'lib'])
    cpSync(path.join(root, part), path.join(clone, part), { recursive: true })
  copyFileSync(script, path.join(clone, 'scripts', 'setup-libdispatch.mjs'))
  writeFileSync(path.join(folder, 'nothing.c'), 'int nothing_at_all;\n')
  t.is(spawnSync(compiler, ['-fPIC', '-c', 'nothing.c'], { cwd: folder }).status, 0)
  for (const archive of ['libdispatch.a', 'libBlocksRuntime.a'])
    t.is(
      spawnSync('ar', ['rcs', archive, ...(archive === 'libdispatch.a' ? ['nothing.o'] : [])], { cwd: folder }).status,
      0,
    )
  const { status, stderr } = spawnSync(process.execPath, ['scripts/setup-libdispatch.mjs', '--archives', folder], {
    cwd: clone,
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: folder, SPIMPL_NATIVE: '' },
  })
  t.regex(stderr, /vendor\/libdispatch\.so is made, and not tried yet: .*not there; build it with: /)
  t.is(status, 0, stderr)
  t.true(existsSync(path.join(clone, 'vendor', 'libdispatch.so')))
})
