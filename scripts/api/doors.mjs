/** The doors of the three packages: what is imported, the source behind it, what docs/installing.md says of it, and its page. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

// A symbol that two doors have is documented behind the first of them: the runtime's.
const PACKAGES = ['src/runtime', '.', 'native']

/**
 * @returns {{ door: string, source: string, text: string, pageOf: string, page?: string }[]}
 * `page` is missing where the door is another one under a second name
 * @throws Error for a door that docs/installing.md does not describe
 */
export function doorsOfProject(root) {
  const texts = doorTexts(readFileSync(path.join(root, 'docs', 'installing.md'), 'utf8'))
  return PACKAGES.flatMap(folder => {
    const manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'))
    return Object.entries(manifest.exports)
      .filter(([name, targets]) => !name.includes('*') && typeof targets !== 'string')
      .map(([name, { types }]) => {
        const door = path.posix.join(manifest.name, name)
        const source = path.join(
          root,
          folder,
          types.replace(/^\.\/dist\//, '').replace(/\.d\.ts$/, extensionOf(folder)),
        )
        const text = texts.get(door)
        if (text === undefined) throw new Error(`expected ${door} in the table of doors in docs/installing.md`)
        const other = sameAs(readFileSync(source, 'utf8'))
        const described = { door, source, text, pageOf: other ?? door }
        return other === undefined ? { ...described, page: door } : described
      })
  })
}

/** The addon is written in JavaScript and declares its types by hand. */
const extensionOf = folder => (folder === 'native' ? '.d.ts' : '.ts')

/** A door that only says `export * from 'other'` is that other door. */
function sameAs(text) {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').trim()
  return /^export \* from '([^']+)'$/.exec(code)?.[1]
}

/** What the second column of the table of doors says of each name in the first. */
export function doorTexts(page) {
  const section = page.split(/^## /m).find(part => part.startsWith('Doors\n')) ?? ''
  const rows = [...section.matchAll(/^\| (.*) \| (.*) \|$/gm)]
  return new Map(rows.flatMap(([, names, text]) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => [name, text])))
}
