import test from 'ava'
import fc from 'fast-check'
import { nodeCryptography as crypto } from '../../../src/crypto/node-cryptography.ts'
import {
  type HandshakeAuthdata,
  handshakeAuthdataBytes,
  readHandshakeAuthdata,
  writeHandshakeAuthdata,
} from '../../../src/discv5/wire/handshake.ts'
import {
  AUTHDATA_AT,
  FLAG_HANDSHAKE,
  FLAG_ORDINARY,
  FLAG_WHOAREYOU,
  maskPacket,
  unmaskPacket,
  writeHeader,
} from '../../../src/discv5/wire/packet.ts'

const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength })

const packet = fc.oneof(
  fc.record({ flag: fc.constant(FLAG_ORDINARY), authdata: bytes(32), message: bytes(17, 1_193) }),
  fc.record({ flag: fc.constant(FLAG_WHOAREYOU), authdata: bytes(24), message: bytes(0) }),
  fc.record({ flag: fc.constant(FLAG_HANDSHAKE), authdata: bytes(35, 431), message: bytes(17, 700) }),
)

const authdata: fc.Arbitrary<HandshakeAuthdata> = fc.record({
  sourceId: bytes(32),
  signature: bytes(64),
  ephemeralKey: bytes(33),
  record: fc.option(bytes(1, 300), { nil: undefined }),
})

test('property: a masked packet unmasks to its parts, and for another node to none', t => {
  fc.assert(
    fc.property(packet, bytes(16), bytes(12), bytes(32), ({ flag, authdata, message }, iv, nonce, nodeId) => {
      const headBytes = AUTHDATA_AT + authdata.length
      const out = new Uint8Array(headBytes + message.length)
      writeHeader(out, iv, flag, nonce, authdata.length)
      out.set(authdata, AUTHDATA_AT)
      out.set(message, headBytes)
      const head = out.slice(0, headBytes)
      maskPacket(out, headBytes, nodeId, crypto)
      const otherId = nodeId.map(byte => byte ^ 1)
      t.is(unmaskPacket(out.slice(), otherId, crypto), 'headerInvalid')
      t.deepEqual(unmaskPacket(out, nodeId, crypto), { flag, nonce, authdata, head, message })
    }),
  )
})

test('property: the authdata of a handshake decode to their parts, and no bytes throw', t => {
  fc.assert(
    fc.property(authdata, bytes(0, 450), (parts, any) => {
      const out = new Uint8Array(handshakeAuthdataBytes(parts.record?.length ?? 0))
      writeHandshakeAuthdata(out, 0, parts)
      t.deepEqual(readHandshakeAuthdata(out), parts)
      t.notThrows(() => readHandshakeAuthdata(any))
    }),
  )
})
