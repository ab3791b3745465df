/** A process in which one peer does one subject: started by bench/actors.ts, so that no library's code has tuned the engine for another's. */
import type { ActorPeer, Subject } from './actor-peer.ts'
import { barePeers } from './bare.ts'
import { comedyPeer } from './comedy.ts'
import { erlangPeer } from './erlang.ts'
import { nactPeer } from './nact.ts'
import { spimplPeer } from './spimpl.ts'
import { xstatePeer } from './xstate.ts'

/** What the parent asks for. */
export interface SoloRequest {
  readonly subject: Subject
  readonly operations: number
}

/** What it is told: first what the peer can do, then a figure for each request. */
export type SoloAnswer =
  | { readonly subjects: readonly Subject[]; readonly share: number }
  | { readonly absent: true }
  | { readonly figure: number }

export const peerNames = [
  'spimpl',
  'spimpl, tracing',
  'nact',
  'xstate fromTransition',
  'xstate machine',
  'comedy',
  'EventEmitter',
  'queueMicrotask',
  'Erlang/OTP',
] as const

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
  const peer = await load(process.argv[2] ?? '')
  process.on('disconnect', async () => {
    await peer?.close?.()
    process.exit(0)
  })
  process.on('message', async ({ subject, operations }: SoloRequest) => {
    // No forced collection before a run: it takes optimized code with it that knew objects of the run before, of every peer.
    say({ figure: await peer![subject]!(operations) })
  })
  if (peer === undefined) say({ absent: true })
  else say({ subjects: subjects.filter(subject => peer[subject] !== undefined), share: peer.share })
}
