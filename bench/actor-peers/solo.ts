/** A process in which one peer, or one in two ways, does one subject: started by bench/actors.ts, so that no library's code has tuned the engine for another's. */
import type { ActorPeer, Subject } from './actor-peer.ts'
import { barePeers } from './bare.ts'
import { comedyPeer } from './comedy.ts'
import { erlangPeer } from './erlang.ts'
import { nactPeer } from './nact.ts'
import { spimplPeer } from './spimpl.ts'
import { xstatePeer } from './xstate.ts'

/** What the parent asks for. */
export interface SoloRequest {
  readonly peer: string
  readonly subject: Subject
  readonly operations: number
}

/** What one peer can do. */
export interface Ability {
  readonly peer: string
  /** `undefined`: it is not installed. */
  readonly subjects: readonly Subject[] | undefined
  readonly share: number
}

/** What it is told: first what the peers of this process can do, then a figure for each request. */
export type SoloAnswer = { readonly abilities: readonly Ability[] } | { readonly figure: number }

/**
 * Peers by process. Where V8 allocates messages that wait is decided once for a process, by when its first collections came
 * (`node --trace-pretenuring`), and halves or doubles the figure of whoever queues: so what tracing costs is measured in one process.
 */
export const peerGroups: readonly (readonly string[])[] = [
  ['spimpl', 'spimpl, tracing'],
  ['nact'],
  ['xstate fromTransition'],
  ['xstate machine'],
  ['comedy'],
  ['EventEmitter'],
  ['queueMicrotask'],
  ['Erlang/OTP'],
]

async function load(name: string): Promise<ActorPeer | undefined> {
  switch (name) {
    case 'spimpl':
      return spimplPeer()
    case 'spimpl, tracing':
      return spimplPeer(name, true)
    case 'nact':
      return nactPeer()
    case 'xstate fromTransition':
    case 'xstate machine':
      return xstatePeer(name)
    case 'comedy':
      return comedyPeer()
    case 'Erlang/OTP':
      return erlangPeer()
    default:
      return barePeers.find(({ peer }) => peer === name)
  }
}

const subjects = ['tell', 'pingPong', 'ask', 'spawnStop', 'fanIn', 'ring', 'idle'] as const

if (process.send !== undefined) {
  const say = (answer: SoloAnswer) => process.send!(answer)
  const peers = new Map<string, ActorPeer>()
  const abilities: Ability[] = []
  for (const name of process.argv.slice(2)) {
    const peer = await load(name)
    if (peer !== undefined) peers.set(name, peer)
    const able = peer === undefined ? undefined : subjects.filter(subject => peer[subject] !== undefined)
    abilities.push({ peer: name, subjects: able, share: peer?.share ?? 1 })
  }
  process.on('disconnect', async () => {
    for (const peer of peers.values()) await peer.close?.()
    process.exit(0)
  })
  process.on('message', async ({ peer, subject, operations }: SoloRequest) => {
    // No forced collection before a run: it takes optimized code with it that knew objects of the run before, of every peer.
    say({ figure: await peers.get(peer)![subject]!(operations) })
  })
  say({ abilities })
}
