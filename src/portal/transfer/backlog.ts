/**
 * Bytes of a stream that wait to be taken, copied into one buffer. The packets that brought them could occupy far more
 * memory: a window of 1 MiB holds a million packets of one byte.
 */
export class Backlog {
  #buffer = new Uint8Array(0)
  #from = 0
  #to = 0

  get bytes(): number {
    return this.#to - this.#from
  }

  /** The bytes that wait: a view that is valid until the next `push` or `skip`. */
  view(): Uint8Array {
    return this.#buffer.subarray(this.#from, this.#to)
  }

  push(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length)
    this.#buffer.set(bytes, this.#to)
    this.#to += bytes.length
  }

  /** The first `bytes` bytes were taken. */
  skip(bytes: number): void {
    this.#from += bytes
    if (this.#from < this.#to) return
    this.#buffer = new Uint8Array(0)
    this.#from = 0
    this.#to = 0
  }

  /** At least doubles the buffer, so that a byte is moved only a few times. */
  #makeRoom(more: number): void {
    const waiting = this.view()
    this.#buffer = new Uint8Array(2 * (waiting.length + more))
    this.#buffer.set(waiting)
    this.#from = 0
    this.#to = waiting.length
  }
}
