// Batches of small messages through AES-128-GCM in one Node-API call. Looking up four typed arrays of each job from
// C++ would cost more than the cipher, so the small things (key, nonce, associated data) are written into a slab that
// both sides know, and only the message itself is looked up: OpenSSL reads it where it lies and writes where it stays.
import { binding } from './binding.js'

const { native } = binding

// src/cipher_calls.cc reads the same layout.
const CONTROL_BYTES = 65_536
const MAX_JOBS = 256
const WORDS_PER_JOB = 4
const FIRST_BYTE = MAX_JOBS * WORDS_PER_JOB * 4
const KEY_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const IV_BYTES = 16
const DIGEST_BYTES = 32

// Results are cut from slabs of this size, so that a batch costs one allocation. A result that is kept keeps its slab;
// larger slabs would make that worse and save nothing.
const OUT_SLAB_BYTES = 65_536

// Below this length a loop is faster than TypedArray.prototype.set, which leaves compiled code.
const LOOP_BYTES = 96

const control = new Uint8Array(CONTROL_BYTES)
const words = new Uint32Array(control.buffer)
const datas = new Array(MAX_JOBS).fill(undefined)

let slab = new Uint8Array(0)
let slabUsed = 0

native?.attachControl(control)

function copyIn(bytes, at) {
  if (bytes.length > LOOP_BYTES) {
    control.set(bytes, at)
    return
  }
  for (let index = 0; index < bytes.length; index++) control[at + index] = bytes[index]
}

/** Gives `length` bytes of a slab, which nobody else has. */
function takeOut(length) {
  if (slabUsed + length > slab.length) {
    // Every byte that is handed out is written by the cipher before anybody sees it.
    slab = new Uint8Array(Buffer.allocUnsafeSlow(Math.max(OUT_SLAB_BYTES, length)).buffer)
    slabUsed = 0
  }
  const at = slabUsed
  slabUsed += length
  return at
}

function check(job) {
  if (job.key.length !== KEY_BYTES) throw new RangeError(`expected a key of 16 bytes, got ${job.key.length}`)
  if (job.nonce.length !== NONCE_BYTES) throw new RangeError(`expected a nonce of 12 bytes, got ${job.nonce.length}`)
}

/** Writes jobs from `from` on into the slab until it is full; answers the first job that did not fit. */
function pack(jobs, from, overhead) {
  let at = FIRST_BYTE
  let outBytes = 0
  let job = from
  for (; job < jobs.length && job - from < MAX_JOBS; job++) {
    const next = jobs[job]
    check(next)
    const associated = next.associatedData
    const needed = KEY_BYTES + NONCE_BYTES + associated.length
    if (at + needed > CONTROL_BYTES) {
      if (job > from) break
      throw new RangeError(
        `expected at most ${CONTROL_BYTES - FIRST_BYTE - 28} bytes of associated data, got ${associated.length}`,
      )
    }
    const word = (job - from) * WORDS_PER_JOB
    words[word] = at
    words[word + 1] = associated.length
    words[word + 2] = outBytes
    for (let index = 0; index < KEY_BYTES; index++) control[at + index] = next.key[index]
    at += KEY_BYTES
    for (let index = 0; index < NONCE_BYTES; index++) control[at + index] = next.nonce[index]
    at += NONCE_BYTES
    copyIn(associated, at)
    at += associated.length
    datas[job - from] = next.data
    outBytes += Math.max(0, next.data.length + overhead)
  }
  return { end: job, outBytes }
}

function run(jobs, call, overhead) {
  const results = new Array(jobs.length)
  for (let from = 0; from < jobs.length; ) {
    const { end, outBytes } = pack(jobs, from, overhead)
    const base = takeOut(outBytes)
    const buffer = slab.buffer
    call(end - from, datas, slab.subarray(base, base + outBytes))
    for (let job = from; job < end; job++) {
      const word = (job - from) * WORDS_PER_JOB
      datas[job - from] = undefined
      results[job] =
        words[word + 3] === 1
          ? new Uint8Array(buffer, base + words[word + 2], Math.max(0, jobs[job].data.length + overhead))
          : undefined
    }
    from = end
  }
  return results
}

function seal(jobs) {
  const sealed = run(jobs, native.seal, TAG_BYTES)
  if (sealed.includes(undefined)) throw new Error('OpenSSL refused to seal')
  return sealed
}

function open(jobs) {
  return run(jobs, native.open, -TAG_BYTES)
}

function mask(key, iv, data) {
  if (key.length !== KEY_BYTES) throw new RangeError(`expected a key of 16 bytes, got ${key.length}`)
  if (iv.length !== IV_BYTES) throw new RangeError(`expected an IV of 16 bytes, got ${iv.length}`)
  const start = KEY_BYTES + IV_BYTES
  if (data.length > CONTROL_BYTES - start)
    throw new RangeError(`expected at most ${CONTROL_BYTES - start} bytes, got ${data.length}`)
  for (let index = 0; index < KEY_BYTES; index++) control[index] = key[index]
  for (let index = 0; index < IV_BYTES; index++) control[KEY_BYTES + index] = iv[index]
  copyIn(data, start)
  native.mask(data.length)
  return control.slice(start, start + data.length)
}

function keccak256(data) {
  if (data.length > LOOP_BYTES) native.keccak256Of(data)
  else {
    copyIn(data, 0)
    native.keccak256(data.length)
  }
  return control.slice(0, DIGEST_BYTES)
}

/** Undefined where the addon is not there, or where this node exports no OpenSSL. See index.d.ts. */
export const cipher = native?.seal === undefined ? undefined : { seal, open, mask, keccak256 }
