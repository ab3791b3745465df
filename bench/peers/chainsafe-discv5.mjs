// @chainsafe/discv5 at one end of the round-trip benchmark: the twin of bench/discv5-talk.ts, with the same messages to its parent.
import { createSocket } from 'node:dgram'
import { Discv5 } from '@chainsafe/discv5'
import { ENR, SignableENR } from '@chainsafe/enr'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'

const freePort = () =>
  new Promise(resolve => {
    const probe = createSocket('udp4')
    probe.bind(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

const PROTOCOL = 'bench'
const privateKey = await generateKeyPair('secp256k1')
const port = await freePort()
const enr = SignableENR.createFromPrivateKey(privateKey)
enr.ip = '127.0.0.1'
enr.udp = port
const node = Discv5.create({
  enr,
  privateKey,
  bindAddrs: { ip4: multiaddr(`/ip4/127.0.0.1/udp/${port}`) },
  config: { requestTimeout: 5000, requestRetries: 0, enrUpdate: false },
})
node.on('talkReqReceived', (address, _from, request) => {
  if (Buffer.from(request.protocol).toString() === PROTOCOL) {
    void node.sendTalkResp(address, request.id, request.request)
  }
})
await node.start()
// It asks the kernel for 20 kB, which 64 requests in flight overflow, and each loss then costs a worker its run.
node.sessionService.transport.ip4.socket.setRecvBufferSize(4 << 20)
process.send({ enr: enr.encodeTxt() })

process.on('message', async ({ ask, inFlight, payloadBytes, seconds }) => {
  const to = ENR.decodeTxt(ask)
  const payload = Buffer.alloc(payloadBytes, 7)
  let answered = 0
  let failed = 0
  await node.sendTalkReq(to, payload, PROTOCOL)
  const begin = performance.now()
  const end = begin + 1000 * seconds
  const worker = async () => {
    while (performance.now() < end) {
      await node.sendTalkReq(to, payload, PROTOCOL).then(
        () => answered++,
        () => failed++,
      )
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  process.send({ perSecond: (1000 * answered) / (performance.now() - begin), failed })
})
