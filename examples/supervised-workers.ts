/** A composition: a parser, and an index that needs it. If the parser fails, both restart, in order, and nobody else notices. */
import { behavior, composition, formatTree, type Ref, type ReplyTo } from 'spimpl/runtime'

type Parser = { readonly type: 'parse'; readonly line: string; readonly to: Ref<Word> }
type Word = { readonly type: 'word'; readonly word: string }
type Index = Word | { readonly type: 'count'; readonly replyTo: ReplyTo<number> }

const parser = behavior<Parser>(context => {
  console.log('parser starts')
  context.onStop(() => console.log('parser stops'))
  return {
    parse: ({ line, to }) => {
      if (line.includes('\u0000')) throw new Error('expected text, got a zero byte')
      for (const word of line.split(' ')) to.tell({ type: 'word', word })
    },
  }
})

const index = behavior<Index>(context => {
  const words = new Set<string>()
  console.log('index starts')
  context.onStop(() => console.log('index stops'))
  return {
    word: ({ word }) => {
      words.add(word)
    },
    count: ({ replyTo }) => {
      replyTo.tell(words.size)
    },
  }
})

const desk = composition('desk', {
  strategy: 'rest-for-one',
  intensity: { restarts: 3, withinMs: 5_000 },
  backoff: { minMs: 1, maxMs: 100 },
})
  .with('parser', { behavior: () => parser })
  .with('index', { needs: ['parser'], behavior: () => index })

await using running = await desk.start({ log: ({ path, message }) => console.log(`${path} ${message}`) })
const { parser: parserRef, index: to } = running.refs
const count = () => to.ask(replyTo => ({ type: 'count', replyTo }), { timeoutMs: 5_000 })
parserRef.tell({ type: 'parse', line: 'to be or not to be', to })
await new Promise(resolve => setTimeout(resolve, 50))
console.log(`${await count()} words`)
parserRef.tell({ type: 'parse', line: 'oh\u0000no', to })
parserRef.tell({ type: 'parse', line: 'once more', to })
await new Promise(resolve => setTimeout(resolve, 200))
console.log(`${await count()} words`)
console.log(formatTree(running.system.inspect()))
