// Batches of ciphers and hashes on native threads: those of libdispatch, or a pinned thread. A batch crosses to the
// thread as one job and comes back as one answer.
import { AddonError } from '../glue/addon-error.js'
import { DispatchQueue, handleOf } from '../queues/queue.js'
import { jobs as pending, requireNative } from '../threads/lane.js'
import { PinnedThread, threadOf } from '../threads/pinned-thread.js'
import { DIGEST_BYTES, datas, packJobs, packMasks, packMessages, TAG_BYTES, takeOut } from './control-slab.js'

// The order of CipherBatch::Kind in src/ciphers/cipher_batch.h.
const SEAL = 0
const OPEN = 1
const MASK = 2
const KECCAK = 3

/** See index.d.ts. */
export class NativeJobs {
  #native = requireNative()
  #place
  #submit
  #spread

  constructor(place, { spread = false } = {}) {
    this.#place = place
    this.#spread = spread === true
    if (place instanceof DispatchQueue) this.#submit = this.#native.jobOnQueue
    else if (place instanceof PinnedThread) this.#submit = this.#native.jobOnThread
    else throw new AddonError('JOB_INVALID', 'expected a DispatchQueue or a PinnedThread')
    if (this.#spread && this.#native.queueCreate === undefined) {
      throw new AddonError('LIBDISPATCH_UNAVAILABLE', 'spreading a batch among the cores needs libdispatch')
    }
  }

  async seal(jobs) {
    const sealed = await this.#run(SEAL, jobs, packJobs, TAG_BYTES)
    if (sealed.includes(undefined)) throw new AddonError('JOB_FAILED', 'OpenSSL refused to seal')
    return sealed
  }

  open(jobs) {
    return this.#run(OPEN, jobs, packJobs, -TAG_BYTES)
  }

  mask(jobs) {
    return this.#run(MASK, jobs, packMasks, 0)
  }

  keccak256(messages) {
    return this.#run(KECCAK, messages, packMessages, 0)
  }

  /**
   * Nearly every batch fits into the slab and then costs one promise; an `async` function would add three microtasks.
   */
  #run(kind, jobs, pack, overhead) {
    try {
      if (kind !== KECCAK && this.#native.seal === undefined) {
        throw new AddonError('JOB_INVALID', this.#native.opensslInfo().detail)
      }
      if (jobs.length === 0) return Promise.resolve([])
      const { end, outBytes, controlBytes } = pack(jobs, 0, overhead)
      const first = this.#part(kind, end, outBytes, controlBytes, overhead)
      return end === jobs.length ? first : this.#rest(kind, jobs, pack, overhead, end, first)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #rest(kind, jobs, pack, overhead, from, first) {
    const parts = [first]
    try {
      while (from < jobs.length) {
        const { end, outBytes, controlBytes } = pack(jobs, from, overhead)
        parts.push(this.#part(kind, end - from, outBytes, controlBytes, overhead))
        from = end
      }
    } catch (error) {
      parts.push(Promise.reject(error))
    }
    return (await Promise.all(parts)).flat()
  }

  #part(kind, count, outBytes, controlBytes, overhead) {
    const out = takeOut(outBytes + count)
    // Native code has the addresses of the messages and of the result, so both are referenced until the answer.
    const messages = datas.slice(0, count)
    for (let index = 0; index < count; index++) datas[index] = undefined
    const place = this.#place
    return new Promise((resolve, reject) => {
      // Throws for a released queue, before a callback is registered.
      const handle = place instanceof PinnedThread ? threadOf(place) : handleOf(place)
      // `this` is captured on purpose: a collected thread would not perform its remaining jobs.
      const id = pending.add(() => resolve(this.#collect(kind, messages, out, outBytes, overhead)))
      try {
        if (this.#submit(handle, kind, count, controlBytes, messages, out, id, this.#spread) !== false) return
        reject(new AddonError('THREAD_STOPPED', `thread ${this.#place.name} was stopped`))
      } catch (error) {
        reject(error)
      }
      pending.take(id)
    })
  }

  #collect(kind, messages, out, outBytes, overhead) {
    let at = 0
    return messages.map((message, index) => {
      const length = kind === KECCAK ? DIGEST_BYTES : Math.max(0, message.length + overhead)
      const start = at
      at += length
      return out[outBytes + index] === 1 ? out.subarray(start, start + length) : undefined
    })
  }
}
