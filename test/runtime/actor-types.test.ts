import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { type Ref, System } from 'spimpl-runtime'
import { type Counter, good } from './actor-type-cases.ts'

test('a reference to a part of the messages is given where fewer are sent', async t => {
  await using system = new System()
  const ref = system.spawn(good)
  const addsOnly: Ref<Extract<Counter, { readonly type: 'add' }>> = ref
  t.true(addsOnly.tell({ type: 'add', by: 1 }))
})

/** The declarations that a compiler reads for a door of the package, and the packages that they import. */
function declarationsOf(door: string): { readonly files: readonly string[]; readonly packages: ReadonlySet<string> } {
  const files = [fileURLToPath(import.meta.resolve(door)).replace(/\.js$/, '.d.ts')]
  const packages = new Set<string>()
  for (const file of files) {
    const imports = readFileSync(file, 'utf8').matchAll(/(?:\bfrom |\bimport\(|^import )['"]([^'"]+)['"]/gm)
    for (const [, specifier = ''] of imports) {
      if (!specifier.startsWith('.')) packages.add(specifier)
      const next = path.resolve(path.dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts'))
      if (specifier.startsWith('.') && !files.includes(next)) files.push(next)
    }
  }
  return { files, packages }
}

test('the declarations of the main door mention no type of xstate: nobody needs it to compile a program of actors', t => {
  const { files, packages } = declarationsOf('spimpl-runtime')
  t.true(files.length > 20)
  t.deepEqual(
    [...packages].filter(name => !name.startsWith('node:')),
    [],
  )
  t.true(declarationsOf('spimpl-runtime/machines').packages.has('xstate'))
})
