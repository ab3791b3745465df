import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { backendInfo } from '../index.js'
import { DatagramListener } from '../lib/network/datagram-flow.js'
import { skipped, withAddon, withDispatch } from './with-dispatch.js'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const conformance = path.join(root, 'test', 'network-conformance.js')

function run(command, args, env = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    child.on('close', (code, signal) => resolve({ code, signal, output: output.trim() }))
  })
}

withAddon('connections, listeners and paths on node:dgram and rtnetlink', async t => {
  t.deepEqual(await run(process.execPath, [conformance]), { code: 0, signal: null, output: 'ok' })
})

withAddon('an accepted flow that nobody starts keeps a bounded number of datagrams', async t => {
  const sender = createSocket('udp4')
  let listener
  const flow = await new Promise(resolve => {
    listener = new DatagramListener('127.0.0.1', 0, {
      state: (state, _, port) => state === 'ready' && sender.send('first', port, '127.0.0.1'),
      flow: (_, accepted) => resolve(accepted),
    })
  })
  for (let round = 0; round < 5; round++) flow.arrived(Array.from({ length: 1000 }, () => new Uint8Array(1)))
  const kept = await new Promise(resolve => {
    flow.start({ state() {}, viability() {}, datagrams: batch => resolve(batch.length) })
  })
  t.is(kept, 1024)
  listener.cancel()
  sender.close()
})

// The source for macOS, compiled and run here. It needs clang for its blocks, and a libdispatch with its headers.
const library = backendInfo().libdispatch.path ?? ''
const include = path.join(path.dirname(library), 'include')
const prefix = path.dirname(path.dirname(realpathSync(process.execPath)))
const headers = [prefix, '/usr', '/usr/local']
  .map(base => path.join(base, 'include', 'node'))
  .find(dir => existsSync(dir))
const clang = spawnSync('clang++', ['--version']).status === 0
const missing = !clang
  ? 'clang++ is not installed'
  : !existsSync(path.join(include, 'dispatch', 'dispatch.h'))
    ? `there are no headers beside ${library}`
    : headers === undefined
      ? "node's headers were not found"
      : undefined
if (missing !== undefined) console.error(`skipped: the source for macOS on its test double: ${missing}`)
const withDouble = missing === undefined && process.platform === 'linux' ? withDispatch : skipped

async function buildWithDouble() {
  const files = ['src', 'test/nw_double'].flatMap(folder =>
    readdirSync(path.join(root, folder), { recursive: true }).map(name => path.join(root, folder, name)),
  )
  const sources = files.filter(file => file.endsWith('.cc'))
  const output = path.join(root, 'build', 'test', 'with_double.node')
  const built = existsSync(output) ? statSync(output).mtimeMs : 0
  if (files.every(file => statSync(file).mtimeMs < built)) return { code: 0, output: '', addon: output }
  mkdirSync(path.dirname(output), { recursive: true })
  const made = await run('clang++', [
    ...['-std=c++17', '-O1', '-g', '-shared', '-fPIC', '-fblocks', '-fvisibility=hidden', '-DNAPI_VERSION=8'],
    ...['-DDISPATCH_ADDON_NW_DOUBLE', `-I${path.join(root, 'test', 'nw_double')}`, `-I${include}`],
    ...[`-I${path.join(include, 'Block')}`, `-I${headers}`, ...sources, library],
    ...[`-Wl,-rpath,${path.dirname(library)}`, '-ldl', '-lpthread', '-o', output],
  ])
  return { ...made, addon: output }
}

withDouble('the source for macOS on a double of Network framework', async t => {
  // It is compiled first.
  t.timeout(600_000)
  const { code, output, addon } = await buildWithDouble()
  t.is(code, 0, output)
  const env = { SPIMPL_NATIVE: addon, SPIMPL_LIBDISPATCH: library }
  t.deepEqual(await run(process.execPath, ['--expose-gc', conformance, 'double'], env), {
    code: 0,
    signal: null,
    output: 'ok',
  })
})

const namespaces = spawnSync('unshare', ['-rn', 'ip', 'link']).status === 0
if (!namespaces) console.error('skipped: a change of the network path: no network namespaces here (unshare, ip)')
const withNamespaces = namespaces ? withAddon : skipped

withNamespaces('a link that comes and a route that goes change the path', async t => {
  const script = path.join(root, 'test', 'network-path.js')
  t.deepEqual(await run('unshare', ['-rn', process.execPath, script]), { code: 0, signal: null, output: 'ok' })
})
