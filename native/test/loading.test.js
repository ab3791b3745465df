// How the two binaries are found, and what is said of those that were refused. Each case is a process of its own,
// because a library is loaded once.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { backendInfo } from '../index.js'
import { skipped, withAddon, withDispatch } from './with-dispatch.js'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const compiler = ['cc', 'gcc', 'clang'].find(name => spawnSync(name, ['--version']).status === 0)
const withCompiler = compiler === undefined || process.platform !== 'linux' ? skipped : withDispatch

function scratch(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'addon-loading-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What a fresh process says, and whether a native job runs there without libdispatch. */
function ask(env, folder = root) {
  const script = `
    import { backendInfo, DispatchQueue, NativeJobs, PinnedThread } from ${JSON.stringify(path.join(folder, 'index.js'))}
    const info = backendInfo()
    let refusal
    try { new DispatchQueue('q') } catch (error) { refusal = error.code }
    let digest
    if (info.addon.loaded) {
      const thread = new PinnedThread({ name: 'loading' })
      digest = (await new NativeJobs(thread).keccak256([new Uint8Array(0)]))[0].length
      await thread.stop()
    }
    console.log(JSON.stringify({ ...info, refusal, digest }))`
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, SPIMPL_NATIVE: '', ...env },
  })
  if (status !== 0) throw new Error(`ended with ${status ?? signal}: ${stderr}`)
  return JSON.parse(stdout)
}

withAddon('SPIMPL_LIBDISPATCH=none hides every libdispatch, and the rest works', t => {
  const { libdispatch, refusal, digest } = ask({ SPIMPL_LIBDISPATCH: 'none' })
  t.deepEqual(libdispatch, { found: false, refused: ['SPIMPL_LIBDISPATCH=none hides every libdispatch'] })
  t.is(refusal, 'LIBDISPATCH_UNAVAILABLE')
  t.is(digest, 32)
})

withDispatch('the chosen libdispatch is tried first, and the others after it', t => {
  const { path: found } = backendInfo().libdispatch
  const { libdispatch } = ask({ SPIMPL_LIBDISPATCH: '/nowhere/libdispatch.so' })
  t.true(libdispatch.found)
  t.regex(libdispatch.refused[0], /^\/nowhere\/libdispatch\.so: /)
  t.deepEqual(ask({ SPIMPL_LIBDISPATCH: found }).libdispatch.refused, [])
})

withCompiler('a libdispatch that lacks a function is refused by its name', t => {
  const source = readFileSync(path.join(root, 'src', 'queues', 'libdispatch.cc'), 'utf8')
  const names = [...source.matchAll(/fill\(library, t\.\w+, "(\w+)"/g)].map(([, name]) => name)
  t.true(names.length > 40)
  const folder = scratch(t)
  for (const missing of ['dispatch_retain', 'dispatch_time', '_dispatch_runloop_root_queue_wakeup_4CF']) {
    const library = path.join(folder, `without_${missing}.so`)
    const code = names.filter(name => name !== missing).map(name => `void ${name}(void) { __builtin_trap(); }`)
    writeFileSync(path.join(folder, 'stub.c'), code.join('\n'))
    const { status } = spawnSync(compiler, ['-shared', '-fPIC', path.join(folder, 'stub.c'), '-o', library])
    t.is(status, 0)
    t.is(ask({ SPIMPL_LIBDISPATCH: library }).libdispatch.refused[0], `${library}: has no ${missing}`)
  }
})

const linuxTest = process.platform === 'linux' ? withDispatch : skipped

linuxTest('a library that was cut short, a folder and a text are refused and end no process', t => {
  const { path: found } = backendInfo().libdispatch
  const folder = scratch(t)
  const library = path.join(folder, 'libdispatch.so')
  const whole = readFileSync(found)
  const refusals = [
    [whole.subarray(0, whole.length >> 1), /^is cut short: has \d+ of at least \d+ bytes$/],
    [whole.subarray(0, 4096), /^is cut short: /],
    [whole.subarray(0, 10), /^file too short$/],
    [Buffer.from('INPUT(libdispatch.so.0)\n'.padEnd(100)), /^invalid ELF header$/],
  ]
  for (const [bytes, reason] of refusals) {
    writeFileSync(library, bytes)
    const [refused] = ask({ SPIMPL_LIBDISPATCH: library }).libdispatch.refused
    t.true(refused.startsWith(`${library}: `))
    t.regex(refused.slice(library.length + 2), reason)
  }
  t.regex(ask({ SPIMPL_LIBDISPATCH: folder }).libdispatch.refused[0], /^.*: cannot read file data: Is a directory$/)
})

withCompiler('a machine that is too busy to run a new thread for a while does not lose libdispatch', t => {
  const { path: found } = backendInfo().libdispatch
  const folder = scratch(t)
  const library = path.join(folder, 'late.so')
  // Everything is the library's own but that what is enqueued first begins late.
  const code = `#include <unistd.h>
    void dispatch_barrier_async_f(void *queue, void *context, void (*function)(void *));
    static void *late_context;
    static void (*late_function)(void *);
    static void late(void *context) { usleep(1500000); late_function(late_context); }
    void dispatch_async_f(void *queue, void *context, void (*function)(void *)) {
      if (late_function != 0) { dispatch_barrier_async_f(queue, context, function); return; }
      late_context = context;
      late_function = function;
      dispatch_barrier_async_f(queue, 0, late);
    }`
  writeFileSync(path.join(folder, 'late.c'), code)
  const options = ['-shared', '-fPIC', path.join(folder, 'late.c'), found, `-Wl,-rpath,${path.dirname(found)}`]
  t.is(spawnSync(compiler, [...options, '-o', library]).status, 0)
  const { libdispatch } = ask({ SPIMPL_LIBDISPATCH: library })
  t.true(libdispatch.found)
  t.deepEqual(libdispatch.refused, [])
})

withAddon('a prebuild comes before what was built here, and a broken one is said', t => {
  const folder = scratch(t)
  for (const part of ['index.js', 'package.json', 'lib'])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  const prebuilds = path.join('prebuilds', `${process.platform}-${process.arch}`)
  const prebuild = path.join(prebuilds, 'node_dispatch_addon.node')
  const built = path.join('build', 'Release', 'node_dispatch_addon.node')
  const install = file => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    copyFileSync(backendInfo().addon.file, path.join(folder, file))
  }
  const none = ask({}, folder)
  t.false(none.addon.loaded)
  t.is(none.refusal, 'ADDON_UNAVAILABLE')
  t.deepEqual(none.addon.reasons.slice(0, 2), [`${prebuild}: not there`, `${built}: not there`])
  install(built)
  t.is(ask({}, folder).addon.file, path.join(folder, built))
  install(prebuild)
  t.deepEqual(ask({}, folder).addon, { loaded: true, file: path.join(folder, prebuild), reasons: [] })
  writeFileSync(path.join(folder, prebuild), 'not a library')
  const broken = ask({}, folder).addon
  t.is(broken.file, path.join(folder, built))
  t.true(broken.reasons[0].startsWith(`${prebuild}: `))
  t.false(ask({ SPIMPL_NATIVE: 'none' }, folder).addon.loaded)
})

withDispatch('a second copy of the package says why it cannot serve a thread, and does its native jobs', t => {
  const folder = scratch(t)
  for (const part of ['index.js', 'package.json', 'lib'])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  mkdirSync(path.join(folder, 'build', 'Release'), { recursive: true })
  const { addon, libdispatch } = backendInfo()
  copyFileSync(addon.file, path.join(folder, 'build', 'Release', 'node_dispatch_addon.node'))
  const script = `
    import { DispatchQueue as First } from ${JSON.stringify(path.join(root, 'index.js'))}
    import { DispatchQueue, NativeJobs } from ${JSON.stringify(path.join(folder, 'index.js'))}
    try { new DispatchQueue('second') } catch (error) { console.log(error.code, error.message) }
    const [digest] = await new NativeJobs(DispatchQueue.global()).keccak256([new Uint8Array(1)])
    console.log(digest.length)
    new First('first').async(() => console.log('ran'))`
  const env = { ...process.env, SPIMPL_NATIVE: '', SPIMPL_LIBDISPATCH: libdispatch.path }
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env })
  const refusal =
    'LIBDISPATCH_UNAVAILABLE libdispatch cannot serve this thread: another copy of this package drains its queue already'
  t.deepEqual(stdout.trim().split('\n'), [refusal, '32', 'ran'])
})

withAddon('an installation that has a prebuild builds nothing and needs no compiler', t => {
  const folder = scratch(t)
  for (const part of ['scripts', 'src', 'binding.gyp'])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  const prebuild = path.join(folder, 'prebuilds', `${process.platform}-${process.arch}`, 'node_dispatch_addon.node')
  mkdirSync(path.dirname(prebuild), { recursive: true })
  const install = () => {
    const options = { encoding: 'utf8', env: { ...process.env, PATH: folder, CXX: '' } }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs', '--if-possible'], {
      cwd: folder,
      ...options,
    })
    return { status, stderr }
  }
  copyFileSync(backendInfo().addon.file, prebuild)
  t.deepEqual(install(), { status: 0, stderr: '' })
  writeFileSync(prebuild, 'not a library')
  const { status, stderr } = install()
  t.is(status, 0)
  t.regex(stderr, /^node-dispatch-addon: not built \(.*\); everything works without it\n$/)
})
