import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

interface Point {
  readonly title: string
  readonly state: string
  readonly comments: readonly string[]
  readonly diagnostics: readonly string[]
  readonly message: string
}

/** What the test uses of scripts/tap.mjs. */
interface TapReader {
  line(text: string): void
  end(): void
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { TapReader }: { TapReader: new (receive: (point: Point) => void) => TapReader } = await import(
  path.join(root, 'scripts', 'tap.mjs')
)

function points(text: string): Point[] {
  const found: Point[] = []
  const reader = new TapReader(point => found.push(point))
  for (const line of text.split('\n')) reader.line(line)
  reader.end()
  return found
}

test('states, titles with a # of their own, and what is no point', t => {
  const text = `TAP version 13
# folder › a
ok 1 - folder › a › passes
not ok 2 - folder › a › fails # hard
ok 3 - folder › a › later # SKIP
not ok 4 - some day # TODO
ok, this is the output of a program

1..4
# pass 1
`
  t.deepEqual(
    points(text).map(({ title, state }) => [title, state]),
    [
      ['folder › a › passes', 'passed'],
      ['folder › a › fails # hard', 'failed'],
      ['folder › a › later', 'skipped'],
      ['some day', 'todo'],
    ],
  )
})

test('diagnostics belong to the point above them, and say its message', t => {
  const text = `not ok 1 - a
#   logged
  ---
    name: AssertionError
    details:
      'Difference:': |-
        ok 7 - this is a text
    message: >-
      one is
      not two
  ...
not ok 2 - b
  ---
    message: 'it''s quoted'
  ...
not ok 3 - c
  ---
    nothing: known
  ...
not ok 4 - d
  ---
    ]: this is no YAML
  ...
ok 5 - e
  ---
    message: broken off`
  const found = points(text)
  t.deepEqual(
    found.map(({ title, message }) => [title, message]),
    [
      ['a', 'one is not two'],
      ['b', "it's quoted"],
      ['c', ''],
      ['d', ''],
      ['e', 'broken off'],
    ],
  )
  t.deepEqual(found[0]?.comments, ['logged'])
  t.is(found[0]?.diagnostics[0], '    name: AssertionError')
})
