import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

interface Printed {
  readonly text: string
  readonly isPrefix: boolean
}

/** What the test uses of scripts/consumers. */
interface Page {
  programs(page: string): { readonly title: string; readonly code: string; readonly printed: readonly Printed[] }[]
  missingLines(printed: readonly Printed[], output: string): string[]
  brokenLinks(file: string, page: string, files: readonly string[]): string[]
  firstColumn(page: string, heading: string): string[]
}
interface Row {
  readonly check: string
  readonly result: string
  readonly note: string
}
interface Table {
  holds(check: string, note?: string): Row
  fails(check: string, note: string): Row
  skipped(check: string, note: string): Row
  verdict(check: string, faults: readonly string[], note?: string): Row
  formatTable(rows: readonly Row[]): string
  closing(rows: readonly Row[]): string
}
interface Door {
  readonly door: string
  readonly page?: string
  readonly pageOf: string
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const script = (...place: string[]) => import(path.join(root, 'scripts', ...place))
const { programs, missingLines, brokenLinks, firstColumn }: Page = await script('consumers', 'page.mjs')
const table: Table = await script('consumers', 'table.mjs')
const { doorsOfProject }: { doorsOfProject(root: string): Door[] } = await script('api', 'doors.mjs')

const PAGE = `# Title

    npm start

## First

\`\`\`ts
console.log(1) // 1
console.log(record) // enr:-...
await stop() // not printed
\`\`\`

\`\`\`js
console.log('no program of the page') // no
\`\`\`

## Second

\`\`\`ts
console.log('two')
\`\`\`
`

test('the programs of a page have the heading above them and what they say they print', t => {
  const found = programs(PAGE)
  t.deepEqual(
    found.map(({ title }) => title),
    ['First', 'Second'],
  )
  t.true(found[0]?.code.startsWith('console.log(1)'))
  t.deepEqual(found[0]?.printed, [
    { text: '1', isPrefix: false },
    { text: 'enr:-', isPrefix: true },
  ])
  t.deepEqual(found[1]?.printed, [])
})

test('lines are missing unless they come, whole and in their order', t => {
  const { printed } = programs(PAGE)[0]!
  t.deepEqual(missingLines(printed, 'a\n1\nenr:-Iu4\n'), [])
  t.deepEqual(missingLines(printed, 'enr:-Iu4\n1\n'), ['enr:-'])
  t.deepEqual(missingLines(printed, '11\nenr:-Iu4\n'), ['1'])
  t.deepEqual(missingLines([], ''), [])
})

test('a link is broken where the package lacks the file; links elsewhere and in code are not asked', t => {
  const page = `[a](docs/a.md) [b](docs/a.md#part) [c](examples) [d](#here) [e](https://example.org/x)
\`\`\`
[f](nowhere.md)
\`\`\`
[g](../out.md) [h](docs/b.md)`
  const files = ['README.md', 'docs/a.md', 'examples/counter.ts']
  t.deepEqual(brokenLinks('README.md', page, files), ['../out.md', 'docs/b.md'])
  t.deepEqual(brokenLinks('docs/a.md', '[a](../README.md) [b](a.md)', files), [])
})

test('the first column of the table below one heading', t => {
  const page = '## One\n\n| a | b |\n|---|---|\n| `x`, `@y/z-*` | why `not` |\n\n## Two\n\n| `other` | |\n'
  t.deepEqual(firstColumn(page, 'One'), ['x', '@y/z-*'])
})

test('a row fails where there is a fault, and the closing line counts', t => {
  const rows = [
    table.holds('a', '2 MB'),
    table.verdict('longer', ['one', 'two']),
    table.verdict('b', []),
    table.skipped('c', 'no such machine'),
  ]
  t.is(table.closing(rows), '2 passed, 1 failed, 1 skipped')
  const lines = table.formatTable(rows).split('\n')
  t.is(lines[2], 'a       holds    2 MB')
  t.is(lines[3], 'longer  fails    one; two')
  t.is(lines.length, 6)
})

test('docs/installing.md and docs/api have every door, and a door with two names has one page', t => {
  const doors = doorsOfProject(root)
  t.is(doors.find(({ door }) => door === 'spimpl/runtime')?.pageOf, 'spimpl-runtime')
  const pages = doors.filter(({ page }) => page !== undefined).map(({ page }) => page)
  t.is(new Set(pages).size, pages.length)
  t.true(pages.includes('spimpl/node') && pages.includes('node-dispatch-addon'))
  const index = readFileSync(path.join(root, 'docs', 'api', 'README.md'), 'utf8')
  for (const { door, pageOf } of doors) t.true(index.includes(`[\`${door}\`](${pageOf}.md)`), door)
})

test('every dependency of the packages stands in docs/installing.md', t => {
  const listed = firstColumn(
    readFileSync(path.join(root, 'docs', 'installing.md'), 'utf8'),
    'What a full install brings',
  )
  for (const folder of ['.', path.join('src', 'runtime')]) {
    const manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'))
    const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    t.true(names.length > 0)
    for (const name of names.filter(name => !/^(spimpl|node-dispatch)/.test(name))) t.true(listed.includes(name), name)
  }
})
