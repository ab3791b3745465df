import { invariant } from '../cores/invariant.ts'

/** Words of the header, 32 bits each; each thread writes to a cache line of its own. */
const WRITTEN = 0
const READ = 16
const ROOM_WANTED = 17
const HEADER_BYTES = 128

/** Each frame has its length in front of it. Frames begin at multiples of eight, so that they can hold doubles. */
const LENGTH_BYTES = 8

/** In the place of a length: the rest of the memory is unused, the next frame is at its start. */
const WRAP = -1

/**
 * Frames of bytes from one thread to another through shared memory: one writer, one reader, no lock and no system call.
 *
 *     header   | WRITTEN           | READ, ROOM_WANTED |                     one cache line for each thread
 *     memory   | len | frame 4 |   free   | len | frame 2 | len | frame 3 | WRAP |
 *                              ^ WRITTEN  ^ READ
 *
 * The two positions count bytes since the start, modulo 2^32; their difference is the number of waiting bytes. Frames
 * can be written and read in place (`claim` and `commit`, `next` and `release`) or as copies (`write` and `read`).
 */
export class SharedRing {
  readonly buffer: SharedArrayBuffer
  /** The memory as bytes; `claim` and `next` return positions in it. */
  readonly bytes: Buffer
  /** The same memory. */
  readonly words: Int32Array
  readonly doubles: Float64Array
  /** Reader: the length of the frame that `next` found, in bytes. */
  length = 0
  readonly #header: Int32Array
  readonly #capacity: number
  /** Where the frame that is being written begins, and the frame that is being read. */
  #writing = 0
  #reading = 0

  /** @param buffer the buffer of a ring made by {@link SharedRing.allocate}, here or on the other thread */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#capacity = buffer.byteLength - HEADER_BYTES
    this.#header = new Int32Array(buffer, 0, HEADER_BYTES / 4)
    this.words = new Int32Array(buffer, HEADER_BYTES)
    this.doubles = new Float64Array(buffer, HEADER_BYTES)
    this.bytes = Buffer.from(buffer, HEADER_BYTES)
  }

  /** @param capacity bytes, a power of two */
  static allocate(capacity: number): SharedRing {
    if (capacity < 64 || (capacity & (capacity - 1)) !== 0) {
      throw new RangeError(`expected a capacity that is a power of two, got ${capacity}`)
    }
    return new SharedRing(new SharedArrayBuffer(capacity + HEADER_BYTES))
  }

  /** The longest frame that the ring takes. */
  get maxFrameBytes(): number {
    return this.#capacity / 2 - LENGTH_BYTES
  }

  get empty(): boolean {
    return Atomics.load(this.#header, WRITTEN) === Atomics.load(this.#header, READ)
  }

  /**
   * Writer: claims room for a frame, which `commit` makes visible.
   * @returns the position at which to write it; -1 if there is no room now
   */
  claim(frameBytes: number): number {
    const written = this.#header[WRITTEN]!
    const at = written & (this.#capacity - 1)
    const needed = spaceOf(frameBytes)
    const skipped = needed > this.#capacity - at ? this.#capacity - at : 0
    const used = (written - Atomics.load(this.#header, READ)) | 0
    invariant(used >= 0 && used <= this.#capacity, 'at most as many unread bytes as a ring has')
    if (used + skipped + needed > this.#capacity) return -1
    if (skipped > 0) this.words[at >> 2] = WRAP
    this.#writing = (written + skipped) | 0
    return (skipped > 0 ? 0 : at) + LENGTH_BYTES
  }

  /** Writer. @param frameBytes the claimed length, or less */
  commit(frameBytes: number): void {
    this.words[(this.#writing & (this.#capacity - 1)) >> 2] = frameBytes
    Atomics.store(this.#header, WRITTEN, (this.#writing + spaceOf(frameBytes)) | 0)
  }

  /** Writer. @returns false if there is no room now */
  write(frame: Uint8Array): boolean {
    const at = this.claim(frame.byteLength)
    if (at < 0) return false
    this.bytes.set(frame, at)
    this.commit(frame.byteLength)
    return true
  }

  /**
   * Reader.
   * @returns the position of the next frame, which has `length` bytes and stays until `release`; -1 if there is none
   */
  next(): number {
    this.#reading = this.#header[READ]!
    if (this.#reading === Atomics.load(this.#header, WRITTEN)) return -1
    let at = this.#reading & (this.#capacity - 1)
    if (this.words[at >> 2] === WRAP) {
      this.#reading += this.#capacity - at
      at = 0
    }
    this.length = this.words[at >> 2]!
    invariant(this.length >= 0 && this.length <= this.#capacity - at, 'a frame that ends within the ring')
    return at + LENGTH_BYTES
  }

  /** Reader: the frame that `next` found has been read. */
  release(): void {
    Atomics.store(this.#header, READ, (this.#reading + spaceOf(this.length)) | 0)
  }

  /** Reader. @returns a copy of the next frame; `undefined` if there is none */
  read(): Buffer | undefined {
    const at = this.next()
    if (at < 0) return undefined
    const frame = this.copy(at)
    this.release()
    return frame
  }

  /** Reader. @returns a copy of the frame that `next` found */
  copy(at: number): Buffer {
    const frame = Buffer.allocUnsafeSlow(this.length)
    this.bytes.copy(frame, 0, at, at + this.length)
    return frame
  }

  /**
   * Writer. @returns whether a frame of this length has room now. If not, the reader is told that room is wanted; room
   * that it freed in the meantime is noticed by a second look.
   */
  hasRoom(frameBytes: number): boolean {
    if (this.claim(frameBytes) >= 0) return true
    Atomics.store(this.#header, ROOM_WANTED, 1)
    return this.claim(frameBytes) >= 0
  }

  /** Reader, after its reads. @returns whether the writer waits for room: true once for each time that it does */
  takeRoomWanted(): boolean {
    return Atomics.load(this.#header, ROOM_WANTED) === 1 && Atomics.exchange(this.#header, ROOM_WANTED, 0) === 1
  }
}

function spaceOf(frameBytes: number): number {
  return LENGTH_BYTES + ((frameBytes + 7) & ~7)
}
