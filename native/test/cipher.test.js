import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { backendInfo, cipher } from '../index.js'
import { withAddon as test } from './with-dispatch.js'

const plain = bytes => new Uint8Array(bytes)

function sealedByNode({ key, nonce, associatedData, data }) {
  const context = createCipheriv('aes-128-gcm', key, nonce)
  context.setAAD(associatedData)
  return plain(Buffer.concat([context.update(data), context.final(), context.getAuthTag()]))
}

const anyJob = fc.record({
  key: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  associatedData: fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ minLength: 900, maxLength: 1000 })),
  data: fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ minLength: 1000, maxLength: 1280 })),
})

test('OpenSSL comes from the running node', t => {
  t.true(backendInfo().addon.loaded, backendInfo().addon.reasons.join('\n'))
  t.true(backendInfo().openssl.detail.includes(process.versions.openssl.split('+')[0]))
})

test('seals what node:crypto seals, and opens it again', t => {
  fc.assert(
    fc.property(fc.array(anyJob, { maxLength: 12 }), jobs => {
      const sealed = cipher.seal(jobs)
      t.deepEqual(sealed, jobs.map(sealedByNode))
      const opened = cipher.open(jobs.map((job, index) => ({ ...job, data: sealed[index] })))
      t.deepEqual(
        opened,
        jobs.map(job => job.data),
      )
    }),
    { numRuns: 60 },
  )
})

test('one changed bit anywhere is refused, and only there', t => {
  const job = (size = 200) => ({
    key: plain(randomBytes(16)),
    nonce: plain(randomBytes(12)),
    associatedData: plain(randomBytes(71)),
    data: plain(randomBytes(size)),
  })
  const jobs = Array.from({ length: 30 }, () => job())
  const sealed = cipher.seal(jobs)
  const tampered = jobs.map((one, index) => {
    const parts = { ...one, associatedData: one.associatedData.slice(), data: sealed[index].slice() }
    if (index % 3 === 1) parts.data[(index * 7) % parts.data.length] ^= 1 << (index % 8)
    if (index % 3 === 2) parts.associatedData[index] ^= 0x80
    return parts
  })
  const opened = cipher.open(tampered)
  opened.forEach((bytes, index) => {
    t.deepEqual(bytes, index % 3 === 0 ? jobs[index].data : undefined)
  })
})

test('a message shorter than its tag is refused, an empty one is not', t => {
  const parts = { key: new Uint8Array(16), nonce: new Uint8Array(12), associatedData: new Uint8Array(0) }
  t.deepEqual(cipher.open([{ ...parts, data: new Uint8Array(15) }]), [undefined])
  const [tag] = cipher.seal([{ ...parts, data: new Uint8Array(0) }])
  t.is(tag.length, 16)
  t.deepEqual(cipher.open([{ ...parts, data: tag }]), [new Uint8Array(0)])
})

test('a batch larger than the slab is split and keeps its order', t => {
  const key = plain(randomBytes(16))
  const jobs = Array.from({ length: 700 }, (_, index) => ({
    key,
    nonce: plain(randomBytes(12)),
    associatedData: new Uint8Array(index % 11 === 0 ? 3000 : 40),
    data: plain(randomBytes(index % 50)),
  }))
  t.deepEqual(cipher.seal(jobs), jobs.map(sealedByNode))
})

test('results share slabs but never bytes', t => {
  const make = () => ({
    key: plain(randomBytes(16)),
    nonce: plain(randomBytes(12)),
    associatedData: new Uint8Array(0),
    data: plain(randomBytes(1150)),
  })
  const rounds = Array.from({ length: 40 }, () => {
    const jobs = [make(), make()]
    return { jobs, sealed: cipher.seal(jobs) }
  })
  for (const { jobs, sealed } of rounds) t.deepEqual(sealed, jobs.map(sealedByNode))
})

test('many keys through few contexts', t => {
  const keys = Array.from({ length: 300 }, () => plain(randomBytes(16)))
  for (let round = 0; round < 3; round++) {
    const jobs = keys.map(key => ({
      key,
      nonce: plain(randomBytes(12)),
      associatedData: plain(randomBytes(5)),
      data: plain(randomBytes(33)),
    }))
    t.deepEqual(cipher.seal(jobs), jobs.map(sealedByNode))
  }
})

test('the mask is AES-128-CTR', t => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.uint8Array({ maxLength: 700 }),
      (key, iv, data) => {
        const masked = cipher.mask(key, iv, data)
        t.deepEqual(masked, plain(createDecipheriv('aes-128-ctr', key, iv).update(data)))
        t.deepEqual(cipher.mask(key, iv, masked), data)
      },
    ),
    { numRuns: 60 },
  )
})

test('keccak-256: known answers', t => {
  const digest = text => Buffer.from(cipher.keccak256(new TextEncoder().encode(text))).toString('hex')
  t.is(digest(''), 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  t.is(digest('abc'), '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45')
})

test('keccak-256 agrees with @noble/hashes at every length around a block', async t => {
  const { keccak_256 } = await import('@noble/hashes/sha3.js')
  for (const length of [...Array(300).keys(), 1087, 1088, 1089, 100_000]) {
    const data = plain(randomBytes(length))
    t.deepEqual(cipher.keccak256(data), plain(keccak_256(data)))
  }
})

test('wrong lengths are named', t => {
  const job = {
    key: new Uint8Array(16),
    nonce: new Uint8Array(12),
    associatedData: new Uint8Array(0),
    data: new Uint8Array(1),
  }
  t.throws(() => cipher.seal([{ ...job, key: new Uint8Array(15) }]), { message: 'expected a key of 16 bytes, got 15' })
  t.throws(() => cipher.seal([{ ...job, nonce: new Uint8Array(16) }]), {
    message: 'expected a nonce of 12 bytes, got 16',
  })
  t.throws(() => cipher.mask(new Uint8Array(16), new Uint8Array(12), new Uint8Array(1)), { message: /IV of 16 bytes/ })
})
