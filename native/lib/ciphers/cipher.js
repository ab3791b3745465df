// Batches of small messages through AES-128-GCM in one Node-API call.
import { expectBytes } from '../glue/argument.js'
import { binding } from '../glue/binding.js'
import {
  CONTROL_BYTES,
  control,
  copyIn,
  DIGEST_BYTES,
  datas,
  expectLength,
  IV_BYTES,
  KEY_BYTES,
  LOOP_BYTES,
  packJobs,
  TAG_BYTES,
  takeOut,
  WORDS_PER_JOB,
  words,
} from './control-slab.js'

const { native } = binding
const MASK_START = KEY_BYTES + IV_BYTES

native?.attachControl(control)

function run(jobs, call, overhead) {
  const results = new Array(jobs.length)
  for (let from = 0; from < jobs.length; ) {
    const { end, outBytes } = packJobs(jobs, from, overhead)
    const out = takeOut(outBytes)
    const buffer = out.buffer
    const base = out.byteOffset
    call(end - from, datas, out)
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
  expectLength('a key', key, KEY_BYTES)
  expectLength('an IV', iv, IV_BYTES)
  expectBytes('the data', data)
  if (data.length > CONTROL_BYTES - MASK_START) {
    throw new RangeError(`expected at most ${CONTROL_BYTES - MASK_START} bytes, got ${data.length}`)
  }
  for (let index = 0; index < KEY_BYTES; index++) control[index] = key[index]
  for (let index = 0; index < IV_BYTES; index++) control[KEY_BYTES + index] = iv[index]
  copyIn(data, MASK_START)
  native.mask(data.length)
  return control.slice(MASK_START, MASK_START + data.length)
}

function keccak256(data) {
  expectBytes('the data', data)
  if (data.length > LOOP_BYTES) native.keccak256Of(data)
  else {
    copyIn(data, 0)
    native.keccak256(data.length)
  }
  return control.slice(0, DIGEST_BYTES)
}

/** Undefined where the addon is not there, or where this node exports no OpenSSL. See index.d.ts. */
export const cipher = native?.seal === undefined ? undefined : { seal, open, mask, keccak256 }
