/** A tree: a parser on which an index stands; when the parser fails, both restart, and nobody else notices. */
import { behavior, formatTree, type Ref, type ReplyTo, System } from 'spimpl/runtime'

type Parse = { readonly type: 'parse'; readonly line: string }
type Index =
  | { readonly type: 'word'; readonly word: string }
  | { readonly type: 'count'; readonly replyTo: ReplyTo<number> }
type Desk = Parse | { readonly type: 'count'; readonly replyTo: ReplyTo<number> }

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

const parser = (to: () => Ref<Index>) =>
  behavior<Parse>(context => {
    console.log('parser starts')
    context.onStop(() => console.log('parser stops'))
    return {
      parse: ({ line }) => {
        if (line.includes('\u0000')) throw new Error('expected text, got a zero byte')
        for (const word of line.split(' ')) to().tell({ type: 'word', word })
      },
    }
  })

/** The parser is started first: what is started after it stands on it, and restarts with it. */
const desk = behavior<Desk>(
  context => {
    const parserRef = context.spawn(
      parser(() => indexRef),
      { name: 'parser' },
    )
    const indexRef: Ref<Index> = context.spawn(index, { name: 'index' })
    return {
      parse: message => void context.tell(parserRef, message),
      count: message => void context.tell(indexRef, message),
    }
  },
  {
    supervision: {
      strategy: 'rest-for-one',
      intensity: { restarts: 3, withinMs: 5_000 },
      backoff: { minMs: 1, maxMs: 100 },
    },
  },
)

await using system = new System({ log: ({ path, message }) => console.log(`${path} ${message}`) })
const ref = system.spawn(desk, { name: 'desk' })
const count = () => ref.ask(replyTo => ({ type: 'count', replyTo }), { timeoutMs: 5_000 })
ref.tell({ type: 'parse', line: 'to be or not to be' })
await new Promise(resolve => setTimeout(resolve, 50))
console.log(`${await count()} words`)
ref.tell({ type: 'parse', line: 'oh\u0000no' })
ref.tell({ type: 'parse', line: 'once more' })
await new Promise(resolve => setTimeout(resolve, 200))
console.log(`${await count()} words`)
console.log(formatTree(system.inspect()))
