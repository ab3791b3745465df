import { createHmac } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { concatBytes } from '../../src/codec/bytes.ts'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import type { CipherJob, Cryptography } from '../../src/crypto/cryptography.ts'
import { unwrap } from '../../src/errors.ts'
import { vectorsDirectory } from '../vectors.ts'
import { compress, derSignature, field, lowS, scalar, spkiPoint, wycheproofGroups } from './wycheproof.ts'

const hex = (text: string): Uint8Array => unwrap(fromHex(text))
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const ORDER = hex('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')

/** discv5-wire-test-vectors.md, "Cryptographic primitives". */
const DISCV5 = {
  secretKey: hex('0xfb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736'),
  challengeData: hex(
    '0x000000000000000000000000000000006469736376350001010102030405060708090a0b0c00180102030405060708090a0b0c0d0e0f100000000000000000',
  ),
  nodeIdA: hex('0xaaaa8419e9f49d0083561b48287df592939a8d19947d8c0ef88f2a4856a69fbb'),
  nodeIdB: hex('0xbbbb9d047f0488c0b5a93c1c3f2d8bafc7c8ff337024a55434a0d0555de64db9'),
}

/** What every implementation of the cryptography port must do; registers one test for each behaviour. */
export function cryptographyConformance(name: string, crypto: Cryptography): void {
  const directory = vectorsDirectory()
  const vectorTest = directory === undefined ? test.skip : test

  test(`${name}: keccak-256 and SHA-256 of known texts`, t => {
    t.is(toHex(crypto.keccak256(ascii(''))), '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
    t.is(toHex(crypto.keccak256(ascii('abc'))), '0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45')
    t.is(toHex(crypto.sha256(ascii('abc'))), '0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  test(`${name}: the ECDH, key derivation, signing and sealing of discv5`, t => {
    const point = crypto.sharedPoint(
      hex('0x039961e4c2356d61bedb83052c115d311acb3a96f5777296dcf297351130266231'),
      DISCV5.secretKey,
    )
    t.is(toHex(point!), '0x033b11a2a1f214567e1537ce5e509ffd9b21373247f2a3ff6841f4976f53165e7e')

    const shared = crypto.sharedPoint(
      hex('0x0317931e6e0840220642f230037d285d122bc59063221ef3226b1f403ddc69ca91'),
      DISCV5.secretKey,
    )
    const info = concatBytes(ascii('discovery v5 key agreement'), DISCV5.nodeIdA, DISCV5.nodeIdB)
    const keys = crypto.hkdfSha256(shared!, DISCV5.challengeData, info, 32)
    t.is(toHex(keys), '0xdccc82d81bd610f4f76d3ebe97a40571ac74bb8773749920b0d3a8881c173ec5')

    const ephemeral = hex('0x039961e4c2356d61bedb83052c115d311acb3a96f5777296dcf297351130266231')
    const digest = crypto.sha256(
      concatBytes(ascii('discovery v5 identity proof'), DISCV5.challengeData, ephemeral, DISCV5.nodeIdB),
    )
    const signature = crypto.sign(digest, DISCV5.secretKey)
    t.is(
      toHex(signature),
      '0x94852a1e2318c4e5e9d422c98eaf19d1d90d876b29cd06ca7cb7546d0fff7b484fe86c09a064fe72bdbef73ba8e9c34df0cd2b53e9d65528c2c7f336d5dfc6e6',
    )
    t.true(crypto.verify(signature, digest, crypto.publicKey(DISCV5.secretKey)))

    const [sealed] = crypto.seal([
      {
        key: hex('0x9f2d77db7004bf8a1a85107ac686990b'),
        nonce: hex('0x27b5af763c446acd2749fe8e'),
        associatedData: hex('0x93a7400fa0d6a694ebc24d5cf570f65d04215b6ac00757875e3f3a5f42107903'),
        data: hex('0x01c20101'),
      },
    ])
    t.is(toHex(sealed!), '0xa5d12a2d94b8ccb3ba55558229867dc13bfa3648')
  })

  test(`${name}: masking is AES-128-CTR and its own inverse`, t => {
    // NIST SP 800-38A, F.5.1
    const key = hex('0x2b7e151628aed2a6abf7158809cf4f3c')
    const iv = hex('0xf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff')
    const plain = hex('0x6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51')
    const masked = crypto.maskHeader(key, iv, plain)
    t.is(toHex(masked), '0x874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff')
    t.deepEqual(crypto.maskHeader(key, iv, masked), plain)
    t.is(crypto.maskHeader(key, iv, new Uint8Array(0)).length, 0)
  })

  test(`${name}: a batch is sealed and opened in order, each job by itself`, t => {
    const job = fc.record({
      key: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
      associatedData: fc.uint8Array({ maxLength: 80 }),
      data: fc.uint8Array({ maxLength: 1300, size: 'max' }),
    })
    const spoiled = fc.array(fc.tuple(job, fc.option(fc.nat())), { maxLength: 5 })
    fc.assert(
      fc.property(spoiled, pairs => {
        const jobs: CipherJob[] = pairs.map(([one]) => one)
        const sealed = crypto.seal(jobs)
        const opened = crypto.open(
          jobs.map((one, index) => {
            const data = sealed[index]!.slice()
            const bit = pairs[index]![1]
            if (bit !== null) data[(bit >> 3) % data.length]! ^= 1 << (bit & 7)
            return { ...one, data }
          }),
        )
        t.is(opened.length, jobs.length)
        for (const [index, [{ data }, bit]] of pairs.entries()) {
          t.is(sealed[index]!.length, data.length + 16)
          t.deepEqual(opened[index], bit === null ? data : undefined)
        }
      }),
      { numRuns: 50 },
    )
    const key = new Uint8Array(16)
    const nonce = new Uint8Array(12)
    for (let length = 0; length < 16; length++) {
      t.deepEqual(crypto.open([{ key, nonce, associatedData: key, data: new Uint8Array(length) }]), [undefined])
    }
  })

  test(`${name}: what comes out may be kept: later calls do not write into it`, t => {
    const job = (fill: number): CipherJob => ({
      key: new Uint8Array(16),
      nonce: new Uint8Array(12),
      associatedData: new Uint8Array(0),
      data: new Uint8Array(100).fill(fill),
    })
    const outcomes = (fill: number): Uint8Array[] => [
      crypto.keccak256(job(fill).data),
      crypto.sha256(job(fill).data),
      crypto.maskHeader(job(fill).key, new Uint8Array(16), job(fill).data),
      ...crypto.seal([job(fill), job(fill)]),
      crypto.hkdfSha256(job(fill).data, job(fill).data, job(fill).data, 32),
    ]
    const first = outcomes(1)
    const texts = first.map(toHex)
    outcomes(2)
    t.deepEqual(first.map(toHex), texts)
  })

  test(`${name}: signatures are deterministic, low, recoverable, and of one key`, t => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 1, max: 1000 }),
        (digest, number) => {
          const key = new Uint8Array(32)
          new DataView(key.buffer).setUint32(28, number)
          const publicKey = crypto.publicKey(key)
          const { signature, recovery } = crypto.signRecoverable(digest, key)
          t.deepEqual(crypto.sign(digest, key), signature)
          t.true(crypto.verify(signature, digest, publicKey))
          t.deepEqual(crypto.recover(signature, recovery, digest), crypto.uncompress(publicKey))
          t.deepEqual(lowS(signature), signature)
          t.notDeepEqual(crypto.recover(signature, 1 - recovery, digest), crypto.uncompress(publicKey))
          t.false(crypto.verify(signature, digest, crypto.publicKey(new Uint8Array(32).fill(9))))
        },
      ),
      { numRuns: 10 },
    )
  })

  test(`${name}: a signature in the upper half is refused and yet recovers`, t => {
    const key = new Uint8Array(32).fill(1)
    const digest = crypto.sha256(ascii('upper'))
    const { signature, recovery } = crypto.signRecoverable(digest, key)
    const upper = signature.slice()
    const order = BigInt(toHex(ORDER))
    const mirrored = (order - BigInt(toHex(signature.subarray(32)))).toString(16).padStart(64, '0')
    upper.set(hex(`0x${mirrored}`), 32)
    t.false(crypto.verify(upper, digest, crypto.publicKey(key)))
    t.deepEqual(crypto.recover(upper, 1 - recovery, digest), crypto.uncompress(crypto.publicKey(key)))
  })

  test(`${name}: nothing malformed from the network throws`, t => {
    const key = new Uint8Array(32).fill(1)
    const publicKey = crypto.publicKey(key)
    const digest = crypto.sha256(publicKey)
    const signature = crypto.sign(digest, key)
    const offCurve = new Uint8Array(33).fill(0xff)
    offCurve[0] = 2
    const points = [new Uint8Array(0), new Uint8Array(33), offCurve, publicKey.subarray(1), new Uint8Array(65).fill(4)]
    for (const point of points) {
      t.is(crypto.uncompress(point), undefined)
      t.is(crypto.sharedPoint(point, key), undefined)
      t.false(crypto.verify(signature, digest, point))
    }
    const zeroR = signature.slice().fill(0, 0, 32)
    const zeroS = signature.slice().fill(0, 32)
    const largeR = signature.slice()
    largeR.set(ORDER)
    for (const wrong of [
      new Uint8Array(0),
      new Uint8Array(64),
      new Uint8Array(64).fill(0xff),
      new Uint8Array(65),
      zeroR,
      zeroS,
      largeR,
    ]) {
      t.false(crypto.verify(wrong, digest, publicKey))
      t.is(crypto.recover(wrong, 0, digest), undefined)
    }
    for (const wrong of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(33)]) {
      t.false(crypto.verify(signature, wrong, publicKey))
      t.is(crypto.recover(signature, 0, wrong), undefined)
    }
    for (const recovery of [-1, 2, 3, 4, 0.5]) t.is(crypto.recover(signature, recovery, digest), undefined)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 40 }), (a, b) => {
        t.false(crypto.verify(a, b, a))
        t.is(crypto.recover(a, 0, b.subarray(0, 31)), undefined)
      }),
    )
  })

  test(`${name}: a private key lies between 0 and the order, both excluded`, t => {
    const below = ORDER.slice()
    below[31]! -= 1
    const largest = new Uint8Array(33)
    // (n - 1) G is -G: the generator with y mirrored (SEC 2, section 2.4.1).
    largest.set(hex('0x0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'))
    t.deepEqual(crypto.publicKey(below), largest)
    for (const wrong of [
      new Uint8Array(32),
      ORDER,
      new Uint8Array(32).fill(0xff),
      new Uint8Array(31),
      new Uint8Array(33),
    ]) {
      t.throws(() => crypto.publicKey(wrong), { code: 'KEY_INVALID' })
      t.throws(() => crypto.sign(new Uint8Array(32), wrong), { code: 'KEY_INVALID' })
      t.throws(() => crypto.sharedPoint(largest, wrong), { code: 'KEY_INVALID' })
    }
  })

  vectorTest(`${name}: Wycheproof ECDSA with low s (Bitcoin)`, t => {
    let seen = 0
    for (const group of wycheproofGroups(directory!, 'ecdsa_secp256k1_sha256_bitcoin')) {
      const publicKey = compress(hex(`0x${group.publicKey?.uncompressed}`), crypto)
      for (const one of group.tests) {
        const signature = derSignature(field(one, 'sig'))
        const valid =
          signature !== undefined &&
          publicKey !== undefined &&
          crypto.verify(signature, crypto.sha256(field(one, 'msg')), publicKey)
        t.is(valid, one.result === 'valid', `${one.tcId} ${one.comment}`)
        seen++
      }
    }
    t.is(seen, 463)
  })

  vectorTest(`${name}: Wycheproof ECDSA of 64 bytes (P1363)`, t => {
    let seen = 0
    for (const group of wycheproofGroups(directory!, 'ecdsa_secp256k1_sha256_p1363')) {
      const publicKey = compress(hex(`0x${group.publicKey?.uncompressed}`), crypto)
      for (const one of group.tests) {
        // The vectors allow s of both halves, the port does not: its mirror image is judged instead.
        const signature = lowS(field(one, 'sig'))
        const valid = publicKey !== undefined && crypto.verify(signature, crypto.sha256(field(one, 'msg')), publicKey)
        t.is(valid, one.result === 'valid', `${one.tcId} ${one.comment}`)
        seen++
      }
    }
    t.is(seen, 252)
  })

  vectorTest(`${name}: Wycheproof ECDH`, t => {
    const computed = { valid: 0, acceptable: 0, invalid: 0 }
    for (const group of wycheproofGroups(directory!, 'ecdh_secp256k1')) {
      for (const one of group.tests) {
        const point = spkiPoint(String(one.public))
        const publicKey = point === undefined ? undefined : compress(point, crypto)
        const shared = publicKey && crypto.sharedPoint(publicKey, scalar(field(one, 'private')))
        const what = `${one.tcId} ${one.comment}`
        if (one.result === 'invalid') t.is(shared, undefined, what)
        if (one.result === 'valid') t.not(shared, undefined, what)
        if (shared === undefined) continue
        t.is(toHex(shared.subarray(1)), `0x${one.shared}`, what)
        computed[one.result]++
      }
    }
    t.deepEqual({ ...computed, acceptable: 0 }, { valid: 473, acceptable: 0, invalid: 0 })
  })

  vectorTest(`${name}: Wycheproof AES-GCM of the sizes of discv5`, t => {
    let seen = 0
    for (const group of wycheproofGroups(directory!, 'aes_gcm')) {
      if (group.keySize !== 128 || group.ivSize !== 96 || group.tagSize !== 128) continue
      for (const one of group.tests) {
        const job = { key: field(one, 'key'), nonce: field(one, 'iv'), associatedData: field(one, 'aad') }
        const sealed = concatBytes(field(one, 'ct'), field(one, 'tag'))
        const what = `${one.tcId} ${one.comment}`
        if (one.result === 'valid') {
          t.deepEqual(crypto.seal([{ ...job, data: field(one, 'msg') }]), [sealed], what)
          t.deepEqual(crypto.open([{ ...job, data: sealed }]), [field(one, 'msg')], what)
        } else t.deepEqual(crypto.open([{ ...job, data: sealed }]), [undefined], what)
        seen++
      }
    }
    t.is(seen, 67)
  })

  vectorTest(`${name}: Wycheproof HMAC-SHA-256, as the extraction of HKDF`, t => {
    let seen = 0
    for (const group of wycheproofGroups(directory!, 'hmac_sha256')) {
      if (group.tagSize !== 256) continue
      for (const one of group.tests) {
        // RFC 5869: the tag is the pseudo-random key, from which the first block of output follows.
        const derived = crypto.hkdfSha256(field(one, 'msg'), field(one, 'key'), ascii('info'), 32)
        const expected = createHmac('sha256', field(one, 'tag')).update('info').update(Uint8Array.of(1)).digest()
        t.is(Buffer.compare(derived, expected) === 0, one.result === 'valid', `${one.tcId} ${one.comment}`)
        seen++
      }
    }
    t.true(seen >= 80)
  })
}
