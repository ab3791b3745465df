import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import * as door from '../index.js'

test('what the types declare is what the package exports', t => {
  const types = readFileSync(fileURLToPath(new URL('../index.d.ts', import.meta.url)), 'utf8')
  const declared = [...types.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name)
  t.deepEqual(declared.sort(), Object.keys(door).sort())
})

test('each class declares the members it has', t => {
  const types = readFileSync(fileURLToPath(new URL('../index.d.ts', import.meta.url)), 'utf8')
  const exported = new Map(Object.entries(door))
  for (const [, name, body] of types.matchAll(/^export class (\w+)[^{]*\{\n([\s\S]*?)^\}/gm)) {
    const declared = [...body.matchAll(/^ {2}(?!static|constructor)(?:readonly )?(\w+)[<(:]/gm)].map(
      ([, member]) => member,
    )
    const instance = exported.get(name).prototype
    const has = Object.getOwnPropertyNames(instance).filter(member => member !== 'constructor')
    for (const member of has) t.true(declared.includes(member), `${name}.${member} is not declared`)
  }
})
