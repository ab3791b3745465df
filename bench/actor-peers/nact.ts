import { loadPeer } from '../peers.ts'
import { type ActorPeer, RING_ACTORS, SENDERS, settledBytes, timed } from './actor-peer.ts'

type NactRef = { readonly path: unknown }
interface Context {
  readonly self: NactRef
  readonly sender: NactRef
}
interface Nact {
  start(): NactRef
  spawn<State>(
    parent: NactRef,
    handle: (state: State | undefined, message: Message, context: Context) => State | Promise<State>,
    name?: string,
  ): NactRef
  spawnStateless(parent: NactRef, handle: (message: Message, context: Context) => void, name?: string): NactRef
  dispatch(ref: NactRef, message: Message, sender?: NactRef): void
  query(ref: NactRef, message: (sender: NactRef) => Message, timeoutMs: number): Promise<unknown>
  stop(ref: NactRef): void
}
interface Message {
  readonly type: string
  readonly left?: number
  readonly by?: number
  readonly to?: NactRef
  readonly from?: NactRef
}

/** nact, as its guide has it: stateful actors that return their next state. */
export async function nactPeer(): Promise<ActorPeer | undefined> {
  const nact = await loadPeer<Nact>('nact')
  if (nact === undefined) return undefined
  const { start, spawn, dispatch, query, stop } = nact
  // nact draws a name of 32 random bits for whoever has none, and among ten thousand two are the same now and then.
  let names = 0
  const spawnStateless: Nact['spawnStateless'] = (parent, handle) => {
    names += 1
    return nact.spawnStateless(parent, handle, `actor-${names}`)
  }
  const forever = 600_000
  const within = async <R>(run: (system: NactRef) => Promise<R>): Promise<R> => {
    const system = start()
    try {
      return await run(system)
    } finally {
      stop(system)
    }
  }
  const sink = (system: NactRef) =>
    spawn<number>(system, (sum = 0, message) => {
      if (message.type === 'count') return sum + message.by!
      dispatch(message.from!, { type: 'sum', by: sum })
      return sum
    })
  const done = async (ref: NactRef) =>
    ((await query(ref, from => ({ type: 'done', from }), forever)) as { readonly by: number }).by
  return {
    peer: 'nact',
    share: 0.1,
    tell: messages =>
      within(async system => {
        const ref = sink(system)
        return timed(messages, async () => {
          for (let at = 0; at < messages; at++) dispatch(ref, { type: 'count', by: 1 })
          await done(ref)
        })
      }),
    pingPong: messages =>
      within(async system => {
        const two = spawnStateless(system, (message, { self }) => dispatch(message.from!, { type: 'ball', from: self }))
        return timed(
          messages,
          () =>
            new Promise<void>(resolve => {
              const one = spawn<number>(system, (left = messages / 2, _message, { self }) => {
                if (left === 0) resolve()
                else dispatch(two, { type: 'ball', from: self })
                return left - 1
              })
              dispatch(one, { type: 'ball' })
            }),
        )
      }),
    ask: questions =>
      within(async system => {
        const ref = sink(system)
        return timed(questions, async () => {
          for (let at = 0; at < questions; at++) await done(ref)
        })
      }),
    spawnStop: actors =>
      within(async system =>
        timed(actors, async () => {
          const refs = Array.from({ length: actors }, () => spawnStateless(system, () => {}))
          for (const ref of refs) stop(ref)
          await new Promise(resolve => setImmediate(resolve))
        }),
      ),
    fanIn: messages =>
      within(async system => {
        const to = sink(system)
        const senders = Array.from({ length: SENDERS }, () =>
          spawnStateless(system, message => {
            for (let at = 0; at < message.left!; at++) dispatch(to, { type: 'count', by: 1 })
          }),
        )
        return timed(messages, async () => {
          for (const ref of senders) dispatch(ref, { type: 'send', left: messages / SENDERS })
          while ((await done(to)) < messages);
        })
      }),
    ring: hops =>
      within(async system => {
        let finish = () => {}
        const links: NactRef[] = Array.from({ length: RING_ACTORS }, (_, at) =>
          spawnStateless(system, message => {
            if (message.left === 0) finish()
            else dispatch(links[(at + 1) % RING_ACTORS]!, { type: 'token', left: message.left! - 1 })
          }),
        )
        return timed(
          hops,
          () =>
            new Promise<void>(resolve => {
              finish = resolve
              dispatch(links[0]!, { type: 'token', left: hops })
            }),
        )
      }),
    idle: actors =>
      within(async system => {
        const before = await settledBytes()
        const refs = Array.from({ length: actors }, () => spawnStateless(system, () => {}))
        return ((await settledBytes()) - before) / refs.length
      }),
  }
}
