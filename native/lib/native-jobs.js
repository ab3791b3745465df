// Batches of ciphers and hashes on threads that are not JavaScript's: a queue that ends at libdispatch's own threads, or a
// pinned thread. A batch crosses once on its way there, and its answer is one message.
import { AddonError } from './addon-error.js'
import { control, DIGEST_BYTES, datas, packJobs, packMasks, packMessages, TAG_BYTES, takeOut } from './control-slab.js'
import { jobs as pending, requireNative } from './lane.js'
import { PinnedThread } from './pinned-thread.js'
import { DispatchQueue, HANDLE } from './queue.js'

// The order of CipherBatch::Kind in src/cipher_batch.h.
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
    this.#spread = spread
    if (place instanceof DispatchQueue) this.#submit = this.#native.jobOnQueue
    else if (place instanceof PinnedThread) this.#submit = this.#native.jobOnThread
    else throw new AddonError('JOB_INVALID', 'expected a DispatchQueue or a PinnedThread')
    if (spread && this.#native.queueCreate === undefined) {
      throw new AddonError('LIBDISPATCH_UNAVAILABLE', 'spreading a batch among the cores needs libdispatch')
    }
  }

  async seal(jobs) {
    this.#requireOpenSsl()
    const sealed = await this.#run(SEAL, jobs, packJobs, TAG_BYTES)
    if (sealed.includes(undefined)) throw new AddonError('JOB_FAILED', 'OpenSSL refused to seal')
    return sealed
  }

  async open(jobs) {
    this.#requireOpenSsl()
    return this.#run(OPEN, jobs, packJobs, -TAG_BYTES)
  }

  async mask(jobs) {
    this.#requireOpenSsl()
    return this.#run(MASK, jobs, packMasks, 0)
  }

  async keccak256(messages) {
    return this.#run(KECCAK, messages, packMessages)
  }

  #requireOpenSsl() {
    if (this.#native.seal === undefined) throw new AddonError('JOB_INVALID', this.#native.opensslInfo().detail)
  }

  #run(kind, jobs, pack, overhead) {
    if (jobs.length === 0) return Promise.resolve([])
    const parts = []
    for (let from = 0; from < jobs.length; ) {
      const { end, outBytes, controlBytes } = pack(jobs, from, overhead)
      parts.push(this.#part(kind, end - from, outBytes, controlBytes, overhead))
      from = end
    }
    return parts.length === 1 ? parts[0] : Promise.all(parts).then(all => all.flat())
  }

  #part(kind, count, outBytes, controlBytes, overhead) {
    const out = takeOut(outBytes + count)
    // The messages and the result are referenced until the answer, because native code has their addresses.
    const messages = datas.slice(0, count)
    for (let index = 0; index < count; index++) datas[index] = undefined
    return new Promise((resolve, reject) => {
      // `this` is captured on purpose: a thread that is collected would leave its jobs undone.
      const id = pending.add(() => resolve(this.#collect(kind, messages, out, outBytes, overhead)))
      const handle = this.#place.handle(HANDLE)
      try {
        if (this.#submit(handle, kind, count, control, controlBytes, messages, out, id, this.#spread) !== false) return
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
