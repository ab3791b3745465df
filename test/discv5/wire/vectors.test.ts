import test from 'ava'
import { nodeCryptography as crypto } from '../../../src/crypto/node-cryptography.ts'
import { deriveKeys, idDigest, readHandshakeAuthdata } from '../../../src/discv5/wire/handshake.ts'
import { decodeMessage, encodeMessage, PING } from '../../../src/discv5/wire/message.ts'
import {
  AUTHDATA_AT,
  FLAG_HANDSHAKE,
  FLAG_ORDINARY,
  FLAG_WHOAREYOU,
  maskPacket,
  type Packet,
  unmaskPacket,
  writeHeader,
} from '../../../src/discv5/wire/packet.ts'
import { decodeRecord } from '../../../src/identity/node-record.ts'

// The values are those of discv5-wire-test-vectors.md (ethereum/devp2p).

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

const NODE_A_KEY = hex('eef77acb6c6a6eebc5b363a475ac583ec7eccdb42b6481424c60f59aa326547f')
const NODE_B_KEY = hex('66fb62bfbd66b9177a138c1e5cddbe4f7c30c343e94e68df8769459cb1cde628')
const NODE_A = hex('aaaa8419e9f49d0083561b48287df592939a8d19947d8c0ef88f2a4856a69fbb')
const NODE_B = hex('bbbb9d047f0488c0b5a93c1c3f2d8bafc7c8ff337024a55434a0d0555de64db9')
const ZERO_IV = new Uint8Array(16)
const PING_NONCE = hex('ffffffffffffffffffffffff')
const REQUEST_ID = hex('00000001')
const ID_NONCE = hex('0102030405060708090a0b0c0d0e0f10')
const CHALLENGED_NONCE = hex('0102030405060708090a0b0c')

const PING_PACKET = `
  00000000000000000000000000000000088b3d4342774649325f313964a39e55
  ea96c005ad52be8c7560413a7008f16c9e6d2f43bbea8814a546b7409ce783d3
  4c4f53245d08dab84102ed931f66d1492acb308fa1c6715b9d139b81acbdcc`
const WHOAREYOU_PACKET = `
  00000000000000000000000000000000088b3d434277464933a1ccc59f5967ad
  1d6035f15e528627dde75cd68292f9e6c27d6b66c8100a873fcbaed4e16b8d`
const HANDSHAKE_PACKET = `
  00000000000000000000000000000000088b3d4342774649305f313964a39e55
  ea96c005ad521d8c7560413a7008f16c9e6d2f43bbea8814a546b7409ce783d3
  4c4f53245d08da4bb252012b2cba3f4f374a90a75cff91f142fa9be3e0a5f3ef
  268ccb9065aeecfd67a999e7fdc137e062b2ec4a0eb92947f0d9a74bfbf44dfb
  a776b21301f8b65efd5796706adff216ab862a9186875f9494150c4ae06fa4d1
  f0396c93f215fa4ef524f1eadf5f0f4126b79336671cbcf7a885b1f8bd2a5d83
  9cf8`
const HANDSHAKE_WITH_RECORD_PACKET = `
  00000000000000000000000000000000088b3d4342774649305f313964a39e55
  ea96c005ad539c8c7560413a7008f16c9e6d2f43bbea8814a546b7409ce783d3
  4c4f53245d08da4bb23698868350aaad22e3ab8dd034f548a1c43cd246be9856
  2fafa0a1fa86d8e7a3b95ae78cc2b988ded6a5b59eb83ad58097252188b902b2
  1481e30e5e285f19735796706adff216ab862a9186875f9494150c4ae06fa4d1
  f0396c93f215fa4ef524e0ed04c3c21e39b1868e1ca8105e585ec17315e755e6
  cfc4dd6cb7fd8e1a1f55e49b4b5eb024221482105346f3c82b15fdaae36a3bb1
  2a494683b4a3c7f2ae41306252fed84785e2bbff3b022812d0882f06978df84a
  80d443972213342d04b9048fc3b1d5fcb1df0f822152eced6da4d3f6df27e70e
  4539717307a0208cd208d65093ccab5aa596a34d7511401987662d8cf62b1394
  71`

const EPHEMERAL_KEY = hex('0288ef00023598499cb6c940146d050d2b1fb914198c327f76aad590bead68b6')
const EPHEMERAL_PUBLIC_KEY = hex('039a003ba6517b473fa0cd74aefe99dadfdb34627f90fec6362df85803908f53a5')

const challengeData = (enrSeq: string): Uint8Array =>
  hex(
    `000000000000000000000000000000006469736376350001010102030405060708090a0b0c00180102030405060708090a0b0c0d0e0f10${enrSeq}`,
  )

function unmask(text: string): Packet {
  const packet = unmaskPacket(hex(text), NODE_B, crypto)
  if (typeof packet === 'string') throw new Error(packet)
  return packet
}

function openPing(packet: Packet, key: Uint8Array): unknown {
  const [plaintext] = crypto.open([{ key, nonce: packet.nonce, associatedData: packet.head, data: packet.message }])
  const message = decodeMessage(plaintext!)
  return message.ok ? message.value : message.detail
}

test('ordinary packet with a PING: read', t => {
  const packet = unmask(PING_PACKET)
  t.is(packet.flag, FLAG_ORDINARY)
  t.deepEqual(packet.nonce, PING_NONCE)
  t.deepEqual(packet.authdata, NODE_A)
  t.deepEqual(openPing(packet, new Uint8Array(16)), { type: PING, requestId: REQUEST_ID, enrSeq: 2n })
})

test('ordinary packet with a PING: written', t => {
  const plaintext = encodeMessage({ type: PING, requestId: REQUEST_ID, enrSeq: 2n })
  const out = new Uint8Array(AUTHDATA_AT + 32 + plaintext.length + 16)
  const head = out.subarray(0, AUTHDATA_AT + 32)
  writeHeader(out, ZERO_IV, FLAG_ORDINARY, PING_NONCE, 32)
  out.set(NODE_A, AUTHDATA_AT)
  const job = { key: new Uint8Array(16), nonce: PING_NONCE, associatedData: head, data: plaintext }
  out.set(crypto.seal([job])[0]!, head.length)
  maskPacket(out, head.length, NODE_B, crypto)
  t.deepEqual(out, hex(PING_PACKET))
})

test('WHOAREYOU: read and written', t => {
  const packet = unmask(WHOAREYOU_PACKET)
  t.is(packet.flag, FLAG_WHOAREYOU)
  t.deepEqual(packet.nonce, CHALLENGED_NONCE)
  t.deepEqual(packet.authdata, hex(`${Buffer.from(ID_NONCE).toString('hex')}0000000000000000`))
  t.deepEqual(packet.head, challengeData('0000000000000000'))

  const out = new Uint8Array(63)
  writeHeader(out, ZERO_IV, FLAG_WHOAREYOU, CHALLENGED_NONCE, 24)
  out.set(ID_NONCE, AUTHDATA_AT)
  t.deepEqual(out, challengeData('0000000000000000'))
  maskPacket(out, 63, NODE_B, crypto)
  t.deepEqual(out, hex(WHOAREYOU_PACKET))
})

for (const [name, bytes, data, withRecord] of [
  ['without a record', HANDSHAKE_PACKET, challengeData('0000000000000001'), false],
  ['with a record', HANDSHAKE_WITH_RECORD_PACKET, challengeData('0000000000000000'), true],
] as const) {
  test(`handshake ${name}: verified and opened`, t => {
    const packet = unmask(bytes)
    t.is(packet.flag, FLAG_HANDSHAKE)
    const authdata = readHandshakeAuthdata(packet.authdata)!
    t.deepEqual(authdata.sourceId, NODE_A)
    t.deepEqual(authdata.ephemeralKey, EPHEMERAL_PUBLIC_KEY)
    t.is(authdata.record !== undefined, withRecord)
    if (authdata.record !== undefined) {
      const record = decodeRecord(authdata.record, crypto)
      t.deepEqual(record.ok && record.value.nodeId, NODE_A)
    }
    const digest = idDigest(data, authdata.ephemeralKey, NODE_B, crypto)
    t.true(crypto.verify(authdata.signature, digest, crypto.publicKey(NODE_A_KEY)))
    const secret = crypto.sharedPoint(authdata.ephemeralKey, NODE_B_KEY)!
    const keys = deriveKeys(secret, NODE_A, NODE_B, data, crypto)
    const readKey = withRecord ? '53b1c075f41876423154e157470c2f48' : '4f9fac6de7567d1e3b1241dffe90f662'
    t.deepEqual(keys.initiatorKey, hex(readKey))
    t.deepEqual(openPing(packet, keys.initiatorKey), { type: PING, requestId: REQUEST_ID, enrSeq: 1n })
  })
}

test('ephemeral key of the handshake packets', t => {
  t.deepEqual(crypto.publicKey(EPHEMERAL_KEY), EPHEMERAL_PUBLIC_KEY)
})

test('ECDH', t => {
  t.deepEqual(
    crypto.sharedPoint(
      hex('039961e4c2356d61bedb83052c115d311acb3a96f5777296dcf297351130266231'),
      hex('fb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736'),
    ),
    hex('033b11a2a1f214567e1537ce5e509ffd9b21373247f2a3ff6841f4976f53165e7e'),
  )
})

test('key derivation', t => {
  const secret = crypto.sharedPoint(
    hex('0317931e6e0840220642f230037d285d122bc59063221ef3226b1f403ddc69ca91'),
    hex('fb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736'),
  )!
  t.deepEqual(deriveKeys(secret, NODE_A, NODE_B, challengeData('0000000000000000'), crypto), {
    initiatorKey: hex('dccc82d81bd610f4f76d3ebe97a40571'),
    recipientKey: hex('ac74bb8773749920b0d3a8881c173ec5'),
  })
})

test('id nonce signature', t => {
  const staticKey = hex('fb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736')
  const ephemeralKey = hex('039961e4c2356d61bedb83052c115d311acb3a96f5777296dcf297351130266231')
  const digest = idDigest(challengeData('0000000000000000'), ephemeralKey, NODE_B, crypto)
  const signature = crypto.sign(digest, staticKey)
  t.deepEqual(
    signature,
    hex(
      '94852a1e2318c4e5e9d422c98eaf19d1d90d876b29cd06ca7cb7546d0fff7b484fe86c09a064fe72bdbef73ba8e9c34df0cd2b53e9d65528c2c7f336d5dfc6e6',
    ),
  )
  t.true(crypto.verify(signature, digest, crypto.publicKey(staticKey)))
})

test('message encryption', t => {
  const job = {
    key: hex('9f2d77db7004bf8a1a85107ac686990b'),
    nonce: hex('27b5af763c446acd2749fe8e'),
    associatedData: hex('93a7400fa0d6a694ebc24d5cf570f65d04215b6ac00757875e3f3a5f42107903'),
  }
  const plaintext = hex('01c20101')
  const ciphertext = hex('a5d12a2d94b8ccb3ba55558229867dc13bfa3648')
  t.deepEqual(crypto.seal([{ ...job, data: plaintext }]), [ciphertext])
  t.deepEqual(crypto.open([{ ...job, data: ciphertext }]), [plaintext])
})
