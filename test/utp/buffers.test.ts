import test from 'ava'
import fc from 'fast-check'
import {
  MAX_AHEAD_PACKETS,
  OFFER_ACCEPTED,
  OFFER_DUPLICATE,
  OFFER_REFUSED,
  ReceiveBuffer,
} from '../../src/utp/receiving/receive-buffer.ts'
import { IN_FLIGHT } from '../../src/utp/sending/packet-ring.ts'
import { SendBuffer } from '../../src/utp/sending/send-buffer.ts'
import { SentPackets } from '../../src/utp/sending/sent-packets.ts'
import { SequenceQueue } from '../../src/utp/sending/sequence-queue.ts'
import { ST_DATA, ST_FIN } from '../../src/utp/wire/packet.ts'
import { narrow, widen } from '../../src/utp/wire/sequence.ts'
import { joined, patterned } from '../testing/utp/virtual-link.ts'

test('a sequence number on the wire is the nearest integer with these bits', t => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.integer({ min: -32_768, max: 32_767 }), (near, distance) => {
      t.is(widen(narrow(near + distance), near), near + distance)
    }),
  )
  t.is(widen(0, 65_535), 65_536)
  t.is(widen(65_535, 65_536), 65_535)
  t.is(narrow(65_536), 0)
})

test('written bytes are cut into segments without loss, for any sizes', t => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3000), { maxLength: 200 }),
      fc.array(fc.integer({ min: 1, max: 1200 })),
      (writes, cuts) => {
        const buffer = new SendBuffer()
        const written: Uint8Array[] = []
        const taken: Uint8Array[] = []
        const cut = (length: number): void => {
          if (buffer.bytes === 0) return
          const take = Math.min(length, buffer.bytes)
          buffer.cut(take)
          taken.push(buffer.chunk.slice(buffer.at, buffer.at + take))
        }
        for (const [index, bytes] of writes.entries()) {
          const chunk = patterned(bytes, index + 1)
          written.push(chunk)
          buffer.push(chunk)
          for (const length of cuts.slice(index, index + 2)) cut(length)
        }
        while (buffer.bytes > 0) cut(1153)
        t.true(Buffer.compare(joined(taken), joined(written)) === 0)
      },
    ),
  )
})

test('a segment within one write is a reference to it', t => {
  const buffer = new SendBuffer()
  const chunk = patterned(5000)
  buffer.push(chunk)
  buffer.cut(1000)
  buffer.cut(1000)
  t.is(buffer.chunk, chunk)
  t.is(buffer.at, 1000)
})

test('packets in any order and number come out once and in order', t => {
  fc.assert(
    fc.property(
      fc.nat(200_000),
      fc
        .integer({ min: 1, max: 300 })
        .chain(count => fc.tuple(fc.constant(count), fc.array(fc.nat(count - 1), { maxLength: 900 }))),
      (first, [count, order]) => {
        const received = new ReceiveBuffer()
        received.begin(first)
        const seen = new Set<number>()
        const offer = (index: number): void => {
          const payload = Uint8Array.of(index & 0xff, index >> 8)
          const outcome = received.offer(first + index, ST_DATA, payload, 10_000)
          t.is(outcome, seen.has(index) ? OFFER_DUPLICATE : OFFER_ACCEPTED)
          seen.add(index)
          const mask = new Uint8Array(128)
          received.writeMask(mask, 0, 128)
          for (let bit = 0; bit < 1024; bit++) {
            const told = ((mask[bit >> 3] as number) & (1 << (bit & 7))) !== 0
            const arrived = seen.has(received.next - first + 1 + bit)
            if (told !== arrived) t.fail(`bit ${bit}`)
          }
        }
        for (const index of order) offer(index)
        for (let index = 0; index < count; index++) if (!seen.has(index)) offer(index)
        t.deepEqual(
          received.take().map(chunk => (chunk[0] as number) | ((chunk[1] as number) << 8)),
          Array.from({ length: count }, (_, index) => index),
        )
        t.is(received.outOfOrderPackets, 0)
        t.is(received.outOfOrderBytes, 0)
        t.is(received.totalBytes, 2 * count)
      },
    ),
    { numRuns: 50 },
  )
})

test('a packet too far ahead, without room, or beyond the FIN is refused', t => {
  const received = new ReceiveBuffer()
  received.begin(10)
  const payload = new Uint8Array(100)
  t.is(received.offer(10 + MAX_AHEAD_PACKETS, ST_DATA, payload, 1e6), OFFER_REFUSED)
  t.is(received.offer(10 + MAX_AHEAD_PACKETS - 1, ST_DATA, payload, 1e6), OFFER_ACCEPTED)
  t.is(received.offer(12, ST_DATA, payload, 150), OFFER_REFUSED)
  t.is(received.offer(10, ST_DATA, payload, 99), OFFER_REFUSED)
  // Bytes behind the gap do not keep out the packet that closes it.
  t.is(received.offer(10, ST_DATA, payload, 100), OFFER_ACCEPTED)
  t.is(received.offer(500, ST_FIN, new Uint8Array(0), 1e6), OFFER_REFUSED)
  t.is(received.offer(9, ST_DATA, payload, 1e6), OFFER_DUPLICATE)
})

/** A naive account of the packets in flight, to compare the ring with. */
interface Book {
  readonly sequence: number
  state: 'flight' | 'sacked' | 'lost'
}

test('the ring of sent packets keeps the same account as a list does', t => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('send' as const), count: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('ack' as const), count: fc.nat(20) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('sack' as const), mask: fc.uint8Array({ minLength: 4, maxLength: 4 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('resend' as const), count: fc.nat(10) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('timeout' as const) }) },
  )
  fc.assert(
    fc.property(fc.nat(0xffff), fc.array(step, { maxLength: 80 }), (first, steps) => {
      const sent = new SentPackets(first)
      let book: Book[] = []
      let now = 0
      for (const action of steps) {
        now += 10
        if (action.do === 'send') {
          for (let count = 0; count < action.count && sent.packets < 1000; count++)
            book.push({ sequence: sent.push(ST_DATA, undefined, 0, 100, now), state: 'flight' })
        } else if (action.do === 'ack') {
          const upTo = Math.min(sent.base + action.count, sent.next) - 1
          sent.beginAck(false)
          sent.acknowledge(upTo, now, 0)
          book = book.filter(({ sequence }) => sequence > upTo)
        } else if (action.do === 'sack') {
          sent.beginAck(true)
          const base = sent.base - 1
          sent.acknowledgeSelectively(base, action.mask, 0, 4, now, 0, 20)
          for (const entry of book) {
            const bit = entry.sequence - base - 2
            if (bit >= 0 && bit < 32 && ((action.mask[bit >> 3] as number) & (1 << (bit & 7))) !== 0)
              entry.state = 'sacked'
          }
        } else if (action.do === 'timeout') {
          sent.declareAllLost()
          for (const entry of book) if (entry.state === 'flight') entry.state = 'lost'
        } else {
          for (let count = 0; count < action.count; count++) {
            const sequence = sent.takeLost(now)
            if (sequence < 0) break
            const entry = book.find(other => other.sequence === sequence)
            t.is(entry?.state, 'lost')
            if (entry !== undefined) entry.state = 'flight'
          }
        }
        const flight = book.filter(({ state }) => state === 'flight').length
        t.is(sent.packets, book.length)
        t.is(sent.inFlightPackets, flight)
        t.is(sent.inFlightBytes, 100 * flight)
        t.is(sent.outstandingBytes, 100 * book.length)
        t.is(sent.lostPackets, book.filter(({ state }) => state === 'lost').length)
        let [inFlightBytes, outstandingBytes] = [0, 0]
        for (let sequence = sent.base; sequence < sent.next; sequence++) {
          outstandingBytes += sent.lengthOf(sequence)
          if (sent.stateOf(sequence) === IN_FLIGHT) inFlightBytes += sent.lengthOf(sequence)
        }
        t.is(sent.inFlightBytes, inFlightBytes, 'bytes in flight equal the sum over the ring')
        t.is(sent.outstandingBytes, outstandingBytes)
      }
    }),
    { numRuns: 200 },
  )
})

test('three later packets make a loss, two do not; each loss is judged once', t => {
  const sent = new SentPackets(0)
  for (let packet = 0; packet < 10; packet++) sent.push(ST_DATA, undefined, 0, 100, 0)
  const sack = (mask: number): void => {
    sent.beginAck(true)
    sent.acknowledgeSelectively(-1, Uint8Array.of(mask, 0, 0, 0), 0, 4, 1, 0, 1)
  }
  sack(0b11) // 1 and 2
  t.is(sent.detectLosses(1, 1), 0)
  sack(0b111) // and 3
  t.is(sent.detectLosses(1, 1), 1)
  t.is(sent.detectLosses(1, 1), 0)
  t.is(sent.takeLost(1), 0)
  t.is(sent.takeLost(1), -1)
})

test('a mask without any bit means that a packet beyond it arrived: all 32 before it are lost', t => {
  const sent = new SentPackets(0)
  for (let packet = 0; packet < 60; packet++) sent.push(ST_DATA, undefined, 0, 100, 0)
  sent.beginAck(true)
  sent.acknowledgeSelectively(-1, new Uint8Array(4), 0, 4, 1, 0, 1)
  // 33 is the first packet that the mask cannot report; the three before it may still be in flight.
  t.is(sent.detectLosses(1, 1), 31)
  t.is(sent.detectLosses(100, 1), 2)
})

test('beyond the mask, an overdue packet is no longer in flight', t => {
  const sent = new SentPackets(0)
  for (let packet = 0; packet < 100; packet++) sent.push(ST_DATA, undefined, 0, 100, 0)
  sent.beginAck(true)
  sent.acknowledgeSelectively(-1, Uint8Array.of(0xff, 0xff, 0xff, 0xff), 0, 4, 10, 0, 10)
  sent.detectLosses(10, 10)
  t.is(sent.inFlightPackets, 100 - 33)
  t.true(sent.detectAt > 10)
  sent.detectLosses(sent.detectAt, 10)
  t.is(sent.inFlightPackets, 0)
  t.is(sent.outstandingBytes, 10_000)
  // Reported later, they are acknowledged like all others.
  sent.beginAck(false)
  sent.acknowledge(99, 30, 0)
  t.is(sent.packets, 0)
  t.is(sent.ackedPackets, 100 - 32)
})

test('a queue of sequence numbers keeps its order through growth and tidying', t => {
  const queue = new SequenceQueue(4)
  for (let entry = 0; entry < 3; entry++) queue.push(entry, entry * 10)
  queue.shift()
  queue.push(3, 30)
  queue.push(4, 40)
  t.true(queue.isFull)
  queue.grow()
  t.false(queue.isFull)
  queue.push(5, 50)
  queue.retain(sequence => sequence % 2 === 1)
  const seen: number[] = []
  for (; !queue.isEmpty; queue.shift()) seen.push(queue.firstSequence(), queue.firstMoment())
  t.deepEqual(seen, [1, 10, 3, 30, 5, 50])
})
