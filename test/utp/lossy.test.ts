import test from 'ava'
import fc from 'fast-check'
import { type End, joined, patterned, type Side, VirtualLink } from '../testing/utp/virtual-link.ts'

interface Scenario {
  readonly seed: number
  readonly loss: number
  readonly latencyMs: number
  readonly jitterMs: number
  readonly duplication: number
  readonly firstSequence: number
  readonly writer: Side
  /** Sizes of the writes, and milliseconds between them. */
  readonly writes: readonly { readonly bytes: number; readonly afterMs: number }[]
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(0xffff_ffff),
  loss: fc.constantFrom(0, 0, 0.01, 0.05, 0.2),
  latencyMs: fc.constantFrom(0, 1, 20, 100),
  jitterMs: fc.constantFrom(0, 0, 2, 30),
  duplication: fc.constantFrom(0, 0.02, 0.2),
  firstSequence: fc.oneof(fc.constantFrom(0, 65_535, 65_530, 65_000), fc.nat(0xffff)),
  writer: fc.constantFrom<Side>('initiator', 'acceptor'),
  writes: fc.array(fc.record({ bytes: fc.oneof(fc.nat(3000), fc.nat(150_000)), afterMs: fc.nat(300) }), {
    minLength: 1,
    maxLength: 6,
  }),
})

/**
 * The answer to the SYN is lost, and both copies of the first data, but neither copy of the second: the stream began
 * there.
 */
const oldestLostTwice: Scenario = {
  seed: 3_381_919_023,
  loss: 0.2,
  latencyMs: 0,
  jitterMs: 2,
  duplication: 0.2,
  firstSequence: 0,
  writer: 'acceptor',
  writes: [{ bytes: 11_530, afterMs: 2 }],
}

function play(scenario: Scenario): { link: VirtualLink; written: Uint8Array; writer: End; reader: End } {
  const { seed, writes } = scenario
  const link = new VirtualLink({
    seed,
    firstSequence: scenario.firstSequence,
    conditions: scenario,
    limits: { maxTimeouts: 12, connectTimeoutMs: 120_000, idleTimeoutMs: 120_000, totalTimeoutMs: 3_600_000 },
  }).open()
  const writer = link[scenario.writer]
  const reader = scenario.writer === 'initiator' ? link.acceptor : link.initiator
  const parts: Uint8Array[] = []
  for (const [index, { bytes, afterMs }] of writes.entries()) {
    const part = patterned(bytes, seed + index)
    parts.push(part)
    link.input(writer, { type: 'write', bytes: part })
    link.run({ forMs: afterMs })
  }
  link.input(writer, { type: 'finish' })
  link.run({ forMs: 3_600_000 })
  return { link, written: joined(parts), writer, reader }
}

test('any writes over any link arrive as written, and both ends say finished', t => {
  fc.assert(
    fc.property(scenarios, scenario => {
      const { written, writer, reader } = play(scenario)
      if (written.length === 0) return true
      return (
        Buffer.compare(joined(reader.chunks), written) === 0 &&
        writer.closed?.reason === 'finished' &&
        reader.closed?.reason === 'finished' &&
        reader.peerFinished &&
        writer.outputs.includes('delivered')
      )
    }),
    { numRuns: 150, examples: [[oldestLostTwice]] },
  )
  t.pass()
})

test('a seed replays a stream packet for packet', t => {
  const scenario: Scenario = {
    seed: 99,
    loss: 0.05,
    latencyMs: 20,
    jitterMs: 10,
    duplication: 0.02,
    firstSequence: 65_500,
    writer: 'acceptor',
    writes: [{ bytes: 400_000, afterMs: 100 }],
  }
  const first = play(scenario)
  const second = play(scenario)
  t.is(first.link.now, second.link.now)
  t.deepEqual(first.writer.closed, second.writer.closed)
  t.deepEqual(first.reader.outputs, second.reader.outputs)
})

test('both ends write at once, and each finishes on its own', t => {
  fc.assert(
    fc.property(scenarios, fc.nat(200_000), fc.nat(200_000), (scenario, up, down) => {
      const link = new VirtualLink({
        seed: scenario.seed,
        conditions: { ...scenario, loss: Math.min(scenario.loss, 0.05) },
        limits: { allowHalfOpen: true, maxTimeouts: 12, connectTimeoutMs: 120_000, idleTimeoutMs: 120_000 },
      }).open()
      const ups = patterned(up, 5)
      const downs = patterned(down, 6)
      link.input(link.initiator, { type: 'write', bytes: ups })
      link.input(link.initiator, { type: 'finish' })
      link.run({ forMs: 50 })
      link.input(link.acceptor, { type: 'write', bytes: downs })
      link.input(link.acceptor, { type: 'finish' })
      link.run()
      return (
        Buffer.compare(joined(link.acceptor.chunks), ups) === 0 &&
        Buffer.compare(joined(link.initiator.chunks), downs) === 0 &&
        link.initiator.closed?.reason === 'finished' &&
        link.acceptor.closed?.reason === 'finished'
      )
    }),
    { numRuns: 60 },
  )
  t.pass()
})
