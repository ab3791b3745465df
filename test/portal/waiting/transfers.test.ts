import test from 'ava'
import type { Randomness } from 'spimpl-runtime'
import { MAX_RADIUS } from '../../../src/portal/knowledge/radius.ts'
import { OverlayState } from '../../../src/portal/knowledge/state.ts'
import { defaultOverlayLimits } from '../../../src/portal/limits.ts'
import { Transfers } from '../../../src/portal/waiting/transfers.ts'
import { other, peer } from '../../testing/portal/driven-overlay.ts'
import { contentIdOf, decoder, MAINNET, PROTOCOL, recordOf } from '../../testing/portal/sub-network.ts'

const reset = { code: 'STREAM_RESET', blamesContent: false } as const

/** Gives the numbers in turn, which is how chance looks when a test wants it to collide. */
function scripted(...numbers: number[]): Randomness {
  return { bytes: length => new Uint8Array(length), below: () => numbers.shift() ?? 0 }
}

function setUp(randomness: Randomness) {
  const state = new OverlayState({
    protocol: PROTOCOL,
    record: recordOf(1, MAINNET).current,
    radius: MAX_RADIUS,
    contentId: contentIdOf,
    records: decoder,
    randomness,
    clientInfo: '',
    limits: { serves: 3, servesOfPeer: 2 },
  })
  state.turn.begin(0)
  return { state, transfers: new Transfers(state) }
}

test('connection ids: never 0 or 65535, and never one that a stream under way uses or its neighbour', t => {
  // `below` is called for ids from 1: drawn 9 is id 10, whose stream takes 10 and 11.
  const { transfers } = setUp(scripted(9, 9, 8, 10, 11, 9))
  const first = transfers.chooseConnectionId(peer.nodeIdHex)
  t.is(first, 10)
  transfers.begin(1, 'serve', peer, first, { ended: () => {} })
  t.is(transfers.chooseConnectionId(peer.nodeIdHex), 12)
  transfers.end(1, undefined)
  t.is(transfers.chooseConnectionId(peer.nodeIdHex), 10, 'free again')
  // A stream that the peer has chosen the id for is in the way too, one of another peer is not.
  const both = setUp(scripted(19, 20, 21, 22, 19))
  both.transfers.begin(2, 'fetch', peer, 21, { ended: () => {} })
  t.is(both.transfers.chooseConnectionId(peer.nodeIdHex), 23)
  t.is(both.transfers.chooseConnectionId(other.nodeIdHex), 20)
  t.is(setUp(scripted(0)).transfers.chooseConnectionId(peer.nodeIdHex), 1)
  t.is(setUp(scripted(0xfffd)).transfers.chooseConnectionId(peer.nodeIdHex), 0xfffe)
})

test('slots: in all and of a peer, given back once', t => {
  const { transfers, state } = setUp(scripted())
  let ended = 0
  const owner = { ended: () => (ended += 1) }
  transfers.begin(1, 'serve', peer, 10, owner)
  t.true(transfers.hasRoom('serve', peer.nodeIdHex))
  transfers.begin(2, 'serve', peer, 20, owner)
  t.false(transfers.hasRoom('serve', peer.nodeIdHex))
  t.true(transfers.hasRoom('serve', other.nodeIdHex))
  transfers.begin(3, 'serve', other, 30, owner)
  t.false(transfers.hasRoom('serve', other.nodeIdHex))
  transfers.end(1, undefined)
  transfers.end(1, undefined)
  transfers.end(2, reset)
  t.is(ended, 2)
  t.is(transfers.count('serve'), 1)
  t.is(transfers.countOfPeer('serve', peer.nodeIdHex), 0)
  transfers.cancel(3)
  t.is(ended, 2, 'who cancels is not told')
  t.is(state.deadlines.next(), Number.POSITIVE_INFINITY)
})

test('the room of an item is given back when it is handed on, or its transfer ends in whatever way', t => {
  const { transfers, state } = setUp(scripted())
  const large = defaultOverlayLimits.receiveBytesOfPeer
  const given: number[] = []
  const rooms = (): number[] => {
    state.turn.end(output => {
      if (output.type === 'give-room') given.push(output.ref)
    })
    return given
  }
  for (const ref of [1, 2, 3, 4]) {
    transfers.begin(ref, 'receive', peer, 10 * ref, { ended: () => {} })
    transfers.size(ref, large)
  }
  t.deepEqual(rooms(), [1])
  t.deepEqual(transfers.incoming, { fetchBytes: 0, receiveBytes: large, waiting: 3 })
  transfers.item(1, 0, new Uint8Array(0), true)
  transfers.end(2, reset)
  transfers.cancel(3)
  t.deepEqual(rooms(), [1, 2, 3, 4])
  transfers.end(4, undefined)
  t.deepEqual(transfers.incoming, { fetchBytes: 0, receiveBytes: 0, waiting: 0 })
  transfers.size(4, large)
  t.is(transfers.incoming.waiting, 0, 'of a transfer that is over')
})
