// The control slab: key, nonce and associated data of each job of a batch, in one array that both sides know. Looking
// up four typed arrays per job from C++ would cost more than the cipher. Only the message itself is looked up, because
// OpenSSL reads it in place. One slab serves the whole thread, because a batch is packed and passed on within one call.
// src/ciphers/control_slab.h has the layout.

import { markAsUntransferable } from 'node:worker_threads'
import { expectBytes } from '../glue/argument.js'

// The same numbers stand in src/ciphers/control_slab.h.
export const CONTROL_BYTES = 65_536
const MAX_JOBS = 256
export const WORDS_PER_JOB = 4
export const FIRST_BYTE = MAX_JOBS * WORDS_PER_JOB * 4
export const KEY_BYTES = 16
const NONCE_BYTES = 12
export const TAG_BYTES = 16
export const IV_BYTES = 16
export const DIGEST_BYTES = 32

// Results are cut from slabs of this size, so that a batch costs one allocation. A result keeps its whole slab alive;
// larger slabs would keep more memory and save nothing.
const OUT_SLAB_BYTES = 65_536

// Up to this length a loop is faster than TypedArray.prototype.set; the 71 bytes of a packet's header are beyond it.
export const LOOP_BYTES = 32

export const control = new Uint8Array(CONTROL_BYTES)
export const words = new Uint32Array(control.buffer)
/** The messages of the batch that is packed. */
export const datas = new Array(MAX_JOBS).fill(undefined)

let slab = new Uint8Array(0)
let slabUsed = 0

export function copyIn(bytes, at) {
  if (bytes.length > LOOP_BYTES) {
    control.set(bytes, at)
    return
  }
  for (let index = 0; index < bytes.length; index++) control[at + index] = bytes[index]
}

/** Takes `length` unused bytes of a slab. They are not zeroed, so the caller overwrites all of them. */
export function takeOut(length) {
  if (length >= OUT_SLAB_BYTES) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  if (slabUsed + length > slab.length) {
    slab = new Uint8Array(Buffer.allocUnsafeSlow(OUT_SLAB_BYTES).buffer)
    // Transferring one result would detach the whole slab, with other results and those that are being written.
    markAsUntransferable(slab.buffer)
    slabUsed = 0
  }
  slabUsed += length
  return slab.subarray(slabUsed - length, slabUsed)
}

export function expectLength(what, bytes, length) {
  expectBytes(what, bytes)
  if (bytes.length !== length) throw new RangeError(`expected ${what} of ${length} bytes, got ${bytes.length}`)
}

/** The outcome of one packing. */
const packed = { end: 0, outBytes: 0, controlBytes: 0 }

function room(at, needed, first) {
  if (at + needed <= CONTROL_BYTES) return true
  if (!first) return false
  throw new RangeError(
    `expected at most ${CONTROL_BYTES - FIRST_BYTE - needed} bytes more of associated data in one job`,
  )
}

/**
 * Writes cipher jobs into the slab, starting with job `from`, until the slab is full. A result is longer than its
 * message by `overhead`. Every call returns the same object.
 */
export function packJobs(jobs, from, overhead) {
  let at = FIRST_BYTE
  let outBytes = 0
  let job = from
  for (; job < jobs.length && job - from < MAX_JOBS; job++) {
    const { key, nonce, associatedData, data } = jobs[job]
    expectLength('a key', key, KEY_BYTES)
    expectLength('a nonce', nonce, NONCE_BYTES)
    expectBytes('associated data', associatedData)
    if (!room(at, KEY_BYTES + NONCE_BYTES + associatedData.length, job === from)) break
    const word = (job - from) * WORDS_PER_JOB
    words[word] = at
    words[word + 1] = associatedData.length
    words[word + 2] = outBytes
    for (let index = 0; index < KEY_BYTES; index++) control[at + index] = key[index]
    at += KEY_BYTES
    for (let index = 0; index < NONCE_BYTES; index++) control[at + index] = nonce[index]
    at += NONCE_BYTES
    copyIn(associatedData, at)
    at += associatedData.length
    datas[job - from] = data
    outBytes += Math.max(0, data.length + overhead)
  }
  packed.end = job
  packed.outBytes = outBytes
  packed.controlBytes = at
  return packed
}

/** The same for header masks: `{ key, iv, data }`. */
export function packMasks(jobs, from) {
  let at = FIRST_BYTE
  let outBytes = 0
  let job = from
  for (; job < jobs.length && job - from < MAX_JOBS; job++) {
    const { key, iv, data } = jobs[job]
    expectLength('a key', key, KEY_BYTES)
    expectLength('an IV', iv, IV_BYTES)
    const word = (job - from) * WORDS_PER_JOB
    words[word] = at
    words[word + 1] = 0
    words[word + 2] = outBytes
    control.set(key, at)
    control.set(iv, at + KEY_BYTES)
    at += KEY_BYTES + IV_BYTES
    datas[job - from] = data
    outBytes += data.length
  }
  packed.end = job
  packed.outBytes = outBytes
  packed.controlBytes = at
  return packed
}

/** The same for hashes, which have messages only. */
export function packMessages(messages, from) {
  let job = from
  for (; job < messages.length && job - from < MAX_JOBS; job++) {
    words[(job - from) * WORDS_PER_JOB + 2] = (job - from) * DIGEST_BYTES
    datas[job - from] = messages[job]
  }
  packed.end = job
  packed.outBytes = (job - from) * DIGEST_BYTES
  packed.controlBytes = FIRST_BYTE
  return packed
}
