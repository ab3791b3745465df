import { systemRandomness } from 'spimpl-runtime'
import { nodeCryptography } from '../../src/crypto/node-cryptography.ts'
import { type DiscoveryInput, type DiscoveryOutput, Discv5 } from '../../src/discv5/discv5.ts'
import { unwrap } from '../../src/errors.ts'
import { newPrivateKey } from '../../src/identity/keys.ts'
import { type NodeRecord, parseRecord } from '../../src/identity/node-record.ts'
import { endpointEntries, PublishableRecord } from '../../src/identity/publishable-record.ts'
import { openDatagramSocket } from '../../src/transport/node-dgram.ts'

/**
 * One end of the round-trip benchmark, a process with a core on node:dgram and nothing else. The other end is the same
 * program. After the message `{ ask: ENR, inFlight, payloadBytes, seconds }` of its parent it sends requests and
 * reports the answers per second.
 */

const PROTOCOL = new TextEncoder().encode('bench')

const randomness = systemRandomness()
const socket = await openDatagramSocket({
  host: '127.0.0.1',
  port: 0,
  onDatagrams: batch => handle({ type: 'datagrams', batch }),
  onError: error => console.error(error),
})
const record = new PublishableRecord({
  privateKey: newPrivateKey(randomness, nodeCryptography),
  crypto: nodeCryptography,
  entries: endpointEntries(socket.local),
})
const core = new Discv5({ record, crypto: nodeCryptography, randomness })
let timer: NodeJS.Timeout | undefined
let armedFor = Number.POSITIVE_INFINITY
let onOutcome: (output: DiscoveryOutput) => void = () => {}

function handle(input: DiscoveryInput): void {
  core.handle(input, performance.now(), carry)
  const deadline = core.deadline()
  if (deadline >= armedFor) return
  armedFor = deadline
  clearTimeout(timer)
  timer = setTimeout(expire, Math.max(0, deadline - performance.now()))
}

function expire(): void {
  armedFor = Number.POSITIVE_INFINITY
  handle({ type: 'timeout' })
}

function carry(output: DiscoveryOutput): void {
  if (output.type === 'send') {
    socket.send(output.batch)
  } else if (output.type === 'talk-requested') {
    handle({ type: 'answer-talk', request: output.token, payload: output.payload })
  } else onOutcome(output)
}

interface Task {
  readonly ask: string
  readonly inFlight: number
  readonly payloadBytes: number
  readonly seconds: number
}

process.on('message', (task: Task) => {
  const to = unwrap(parseRecord(task.ask, nodeCryptography))
  void measure(to, task).then(result => process.send?.(result))
})

process.send?.({ enr: record.current.text })

function measure(to: NodeRecord, task: Task): Promise<{ perSecond: number; failed: number }> {
  const payload = randomness.bytes(task.payloadBytes)
  let answered = 0
  let failed = 0
  let ref = 0
  const ask = (): void => handle({ type: 'talk', ref: ref++, to, protocol: PROTOCOL, payload })
  return new Promise(resolve => {
    let begin = 0
    onOutcome = output => {
      if (output.type === 'request-failed') failed++
      else if (output.type === 'talk-answered') answered++
      else return
      // The first answer ends the handshake: counting starts after it.
      if (begin === 0) {
        begin = performance.now()
        answered = 0
        for (let index = 1; index < task.inFlight; index++) ask()
      }
      const elapsed = performance.now() - begin
      if (elapsed < 1000 * task.seconds) ask()
      else {
        onOutcome = () => {}
        resolve({ perSecond: (1000 * answered) / elapsed, failed })
      }
    }
    ask()
  })
}
