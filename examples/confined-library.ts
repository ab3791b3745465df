/**
 * A third-party library confined to one lane: whatever it does to its thread (long loops, global state, an exit) the rest of
 * the program only sees as messages, and as a restart. Native code that crashes ends the process from there too.
 */
import { behavior, type ReplyTo, System } from 'spimpl/runtime'

type Parser =
  | { readonly type: 'parse'; readonly text: string; readonly replyTo: ReplyTo<unknown> }
  | { readonly type: 'crash' }

/** Made on the lane: the library is loaded there and nowhere else. */
export const parser = behavior<Parser>(() => {
  const yaml = import('yaml')
  return {
    parse: async ({ text, replyTo }) => {
      const { parse } = await yaml
      try {
        replyTo.tell(parse(text))
      } catch (error) {
        replyTo.fail(error as Error)
      }
    },
    // As a library that gives up in its own way.
    crash: () => process.exit(1),
  }
})

export async function main(): Promise<void> {
  await using system = new System({ log: ({ fields }) => console.log((fields.error as Error).message) })
  const lane = system.lane({ name: 'yaml' })
  const ref = system.spawn(lane.behavior<Parser>({ module: import.meta.url, name: 'parser' }), { name: 'parser' })
  const parse = (text: string) => ref.ask(replyTo => ({ type: 'parse', text, replyTo }), { timeoutMs: 5_000 })
  console.log(JSON.stringify(await parse('{ name: spimpl, lanes: [1, 2] }')))
  console.log(await parse('a: b: c').catch((error: Error) => error.name))
  ref.tell({ type: 'crash' })
  while (system.inspect().children[0]?.restarts !== 1) await new Promise(resolve => setTimeout(resolve, 1))
  console.log(JSON.stringify(await parse('again: true')))
}

// The lane imports this file too, for `parser`.
if (import.meta.filename === process.argv[1]) await main()
