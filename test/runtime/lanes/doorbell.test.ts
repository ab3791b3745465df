import test from 'ava'
import { Doorbell } from 'spimpl-runtime/internal/lanes/doorbell.js'
import { SharedRing } from 'spimpl-runtime/internal/lanes/shared-ring.js'

/** What happens on one thread, whole, when the other is at one of its accesses to shared memory. */
type Act = () => void

/**
 * Runs `first`, and `second` whole right before its access number `before` (counted from 0) to shared memory; behind it when it
 * has no more. @returns how many accesses `first` has
 */
function interleaved(first: Act, second: Act, before: number): number {
  const real = { load: Atomics.load, store: Atomics.store, exchange: Atomics.exchange }
  let accesses = 0
  let ran = false
  const access = () => {
    if (ran || accesses++ !== before) return
    ran = true
    second()
  }
  const wrapped = (name: keyof typeof real) => (words: Int32Array, index: number, value: number) => {
    access()
    return real[name](words, index, value)
  }
  Object.assign(Atomics, { load: wrapped('load'), store: wrapped('store'), exchange: wrapped('exchange') })
  try {
    first()
  } finally {
    Object.assign(Atomics, real)
  }
  if (!ran) second()
  return accesses
}

/** Every way in which one of the two runs as a whole within the other. */
function everyInterleaving(
  make: () => { readonly one: Act; readonly other: Act; readonly check: (how: string) => void },
) {
  let ways = 0
  for (const within of ['one', 'other'] as const) {
    for (let before = 0, more = true; more; before++, ways++) {
      const { one, other, check } = make()
      const [first, second] = within === 'one' ? [one, other] : [other, one]
      more = interleaved(first, second, before) > before
      check(`the other within ${within}, before access ${before}`)
    }
  }
  return ways
}

test('whoever goes to sleep has the frame or the message that wakes, at whatever moment the frame is written', t => {
  const ways = everyInterleaving(() => {
    const ring = SharedRing.allocate(64)
    const bell = new Doorbell()
    const writersRing = new SharedRing(ring.buffer)
    const writersBell = new Doorbell(bell.buffer)
    let asleep = false
    let woken = false
    return {
      one: () => {
        while (ring.read() !== undefined) {}
        asleep = bell.sleep(() => !ring.empty)
      },
      other: () => {
        writersRing.write(Uint8Array.of(1))
        woken = writersBell.ring()
      },
      check: how => t.true(ring.empty || woken || !asleep, how),
    }
  })
  t.true(ways > 8)
})

test('whoever waits for room has it or the message that wakes, at whatever moment it is freed', t => {
  const ways = everyInterleaving(() => {
    const ring = SharedRing.allocate(64)
    const bell = new Doorbell()
    const readersRing = new SharedRing(ring.buffer)
    const readersBell = new Doorbell(bell.buffer)
    while (ring.write(new Uint8Array(24))) {}
    let asleep = false
    let woken = false
    return {
      one: () => {
        asleep = bell.sleep(() => ring.hasRoom(24))
      },
      other: () => {
        while (readersRing.read() !== undefined) {}
        if (readersRing.takeRoomWanted()) woken = readersBell.ring()
      },
      check: how => t.true(woken || !asleep, how),
    }
  })
  t.true(ways > 8)
})

test('of two that write while one sleeps, one wakes it', t => {
  everyInterleaving(() => {
    const bell = new Doorbell()
    bell.sleep(() => false)
    const ringers = [new Doorbell(bell.buffer), new Doorbell(bell.buffer)]
    let messages = 0
    const ring = (at: number) => () => {
      if (ringers[at]!.ring()) messages++
    }
    return { one: ring(0), other: ring(1), check: how => t.is(messages, 1, how) }
  })
})

test('nobody wakes who is awake', t => {
  const bell = new Doorbell()
  t.false(bell.ring())
  t.false(bell.sleep(() => true))
  t.false(bell.ring())
  t.true(bell.sleep(() => false))
  bell.awake()
  t.false(bell.ring())
})
