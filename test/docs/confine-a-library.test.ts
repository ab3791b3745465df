import { readFileSync } from 'node:fs'
import path from 'node:path'
import ava from 'ava'
import { backendInfo, PinnedThread } from 'node-dispatch-addon'
import { behavior, type ReplyTo, System } from 'spimpl-runtime'
import { projectRoot } from '../vectors.ts'

const test = backendInfo().addon.loaded || process.env.CI === 'true' ? ava : ava.skip

// From here to the empty line after it, the text is the page's.
type Database = { type: 'rows'; sql: string; replyTo: ReplyTo<unknown> }

const database = behavior<Database>(context => {
  const confined = PinnedThread.confine(new URL('./database.js', import.meta.url), { name: 'database' })
  confined.catch(() => {}) // a module that does not start is told to whoever asks, below
  context.onStop(() =>
    confined.then(
      thread => thread.stop(),
      () => {},
    ),
  )
  return {
    rows: async ({ sql, replyTo }) => {
      replyTo.tell(await (await confined).call('rows', [sql]))
    },
  }
})

/** Without what only the formatter of the sources decides. */
const bare = (code: string) =>
  code
    .replace(/\s+/g, '')
    .replaceAll(',)', ')')
    .replaceAll(/,(?=\})/g, '')

ava('the actor of the page is the one that is tested here', t => {
  const page = readFileSync(path.join(projectRoot, 'docs', 'confine-a-library.md'), 'utf8')
  const onPage = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  const source = readFileSync(path.join(projectRoot, 'test', 'docs', 'confine-a-library.test.ts'), 'utf8')
  const here = source.slice(source.indexOf('type Database'), source.indexOf('/** Without'))
  t.true(onPage.length > 300)
  t.is(bare(here), bare(onPage))
})

test('the actor of the page answers, and has a new thread when the old one ended', async t => {
  const system = new System({ log: () => {} })
  const actor = system.spawn(database, { name: 'database' })
  const rows = (sql: string) => actor.ask(replyTo => ({ type: 'rows', sql, replyTo }), { timeoutMs: 60_000 })
  t.deepEqual(await rows('first'), ['first'])
  await t.throwsAsync(rows('end'), { code: 'ACTOR_FAILED' })
  t.deepEqual(await rows('second'), ['second'])
  await system[Symbol.asyncDispose]()
})
