// Builds the test library once, with whatever C compiler there is.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const source = path.join(here, 'one_thread.c')
const folder = path.join(here, '..', '..', 'build', 'test')

/** The path of the compiled library, or undefined where there is no C compiler. */
export function oneThreadLibrary() {
  const library = path.join(folder, `libone_thread${process.platform === 'darwin' ? '.dylib' : '.so'}`)
  if (existsSync(library) && statSync(library).mtimeMs > statSync(source).mtimeMs) return library
  mkdirSync(folder, { recursive: true })
  const made = `${library}.${process.pid}`
  const compiler = ['cc', 'gcc', 'clang'].find(name => spawnSync(name, ['--version']).status === 0)
  if (compiler === undefined) return undefined
  const { status } = spawnSync(compiler, ['-shared', '-fPIC', '-O1', '-o', made, source, '-lpthread'], {
    stdio: 'inherit',
  })
  return status === 0 && spawnSync('mv', [made, library]).status === 0 ? library : undefined
}
