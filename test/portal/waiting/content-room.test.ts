import test from 'ava'
import fc from 'fast-check'
import { Turn } from 'spimpl-runtime/core'
import { defaultOverlayLimits } from '../../../src/portal/limits.ts'
import type { OverlayOutput } from '../../../src/portal/messages.ts'
import { ContentRoom, type RoomClaim } from '../../../src/portal/waiting/content-room.ts'

const limits = { ...defaultOverlayLimits, fetchBytes: 100, receiveBytes: 100, receiveBytesOfPeer: 60 }

function setUp() {
  const given: number[] = []
  const turn = new Turn<OverlayOutput>()
  const core = new ContentRoom(limits, turn)
  const flush = (): void => {
    turn.end(output => {
      if (output.type === 'give-room') given.push(output.ref)
    })
  }
  const room = {
    claim(claim: RoomClaim): void {
      core.claim(claim)
      flush()
    },
    release(ref: number): void {
      core.release(ref)
      flush()
    },
    bytes: (kind: RoomClaim['kind']): number => core.bytes(kind),
    get waiting(): number {
      return core.waiting
    },
  }
  return { given, room }
}

const claim = (ref: number, kind: RoomClaim['kind'], peer: string, bytes: number): RoomClaim => {
  return { ref, kind, peer, bytes }
}

test('what does not fit waits in its turn, and is given room when others are done', t => {
  const { given, room } = setUp()
  room.claim(claim(1, 'fetch', 'a', 70))
  room.claim(claim(2, 'fetch', 'a', 40))
  // It would fit, and is behind one that does not.
  room.claim(claim(3, 'fetch', 'a', 20))
  // What others push has room of its own.
  room.claim(claim(4, 'receive', 'a', 50))
  t.deepEqual(given, [1, 4])
  t.is(room.waiting, 2)
  room.release(1)
  t.deepEqual(given, [1, 4, 2, 3])
  for (const ref of [2, 3, 4, 4, 5]) room.release(ref)
  t.deepEqual([room.bytes('fetch'), room.bytes('receive'), room.waiting], [0, 0, 0])
})

test('one peer does not take the room of all others', t => {
  const { given, room } = setUp()
  room.claim(claim(1, 'receive', 'greedy', 50))
  room.claim(claim(2, 'receive', 'greedy', 50))
  room.claim(claim(3, 'receive', 'other', 50))
  t.deepEqual(given, [1, 3])
  room.release(1)
  t.deepEqual(given, [1, 3, 2])
})

test('an item above the limit is taken when it is alone', t => {
  const { given, room } = setUp()
  room.claim(claim(1, 'receive', 'a', 10))
  room.claim(claim(2, 'receive', 'b', 500))
  t.deepEqual(given, [1])
  room.release(1)
  t.deepEqual(given, [1, 2])
})

test('whatever is asked and released: never above the limit, everybody is served in the end', t => {
  const step = fc.record({
    ref: fc.nat({ max: 8 }),
    kind: fc.constantFrom<RoomClaim['kind']>('fetch', 'receive'),
    peer: fc.constantFrom('a', 'b'),
    bytes: fc.integer({ min: 1, max: 120 }),
    isRelease: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const { room, given } = setUp()
      const open = new Map<number, number>()
      for (const { isRelease, ...asked } of steps) {
        if (isRelease) {
          room.release(asked.ref)
          open.delete(asked.ref)
        } else {
          room.claim(asked)
          open.set(asked.ref, given.length)
        }
        for (const kind of ['fetch', 'receive'] as const) t.true(room.bytes(kind) <= 120)
      }
      for (let round = 0; round <= open.size && room.waiting > 0; round++) {
        for (const ref of new Set(given)) room.release(ref)
      }
      t.is(room.waiting, 0)
      for (const ref of open.keys()) t.true(given.includes(ref))
    }),
  )
})
