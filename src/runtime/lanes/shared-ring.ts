/** Positions in the header, 32-bit words. */
const WRITTEN = 0
const READ = 1
const SLEEPING = 2
const HEADER_BYTES = 64

/** Stands where a frame's length would: the rest of the buffer is unused, go on at its begin. */
const WRAP = -1

/**
 * Frames of bytes from one thread to another through shared memory: one writer, one reader, no lock and no system call.
 * The two positions count bytes since the start, modulo 2^32; their difference is what waits.
 */
export class SharedRing {
  readonly buffer: SharedArrayBuffer
  private readonly header: Int32Array
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly capacity: number

  /** @param buffer one made by {@link SharedRing.allocate}, here or on the other thread */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.capacity = buffer.byteLength - HEADER_BYTES
    this.header = new Int32Array(buffer, 0, HEADER_BYTES / 4)
    this.words = new Int32Array(buffer, HEADER_BYTES)
    this.bytes = new Uint8Array(buffer, HEADER_BYTES)
  }

  /** @param capacity bytes, a power of two */
  static allocate(capacity: number): SharedRing {
    if (capacity < 64 || (capacity & (capacity - 1)) !== 0) {
      throw new RangeError(`expected a capacity that is a power of two, got ${capacity}`)
    }
    return new SharedRing(new SharedArrayBuffer(capacity + HEADER_BYTES))
  }

  /** The longest frame it takes. */
  get maxFrameBytes(): number {
    return this.capacity / 2 - 8
  }

  get empty(): boolean {
    return Atomics.load(this.header, WRITTEN) === Atomics.load(this.header, READ)
  }

  /** Writer: @returns false when there is no room now */
  write(frame: Uint8Array): boolean {
    const written = this.header[WRITTEN]!
    const used = (written - Atomics.load(this.header, READ)) | 0
    const at = written & (this.capacity - 1)
    const needed = 4 + ((frame.byteLength + 3) & ~3)
    const untilEnd = this.capacity - at
    const skipped = needed > untilEnd ? untilEnd : 0
    if (used + skipped + needed > this.capacity) return false
    if (skipped > 0) this.words[at >> 2] = WRAP
    const start = skipped > 0 ? 0 : at
    this.words[start >> 2] = frame.byteLength
    this.bytes.set(frame, start + 4)
    Atomics.store(this.header, WRITTEN, (written + skipped + needed) | 0)
    return true
  }

  /** Reader: @returns the next frame, a copy; `undefined` when there is none */
  read(): Buffer | undefined {
    let read = this.header[READ]!
    const written = Atomics.load(this.header, WRITTEN)
    if (read === written) return undefined
    let at = read & (this.capacity - 1)
    if (this.words[at >> 2] === WRAP) {
      read = (read + this.capacity - at) | 0
      at = 0
    }
    const length = this.words[at >> 2]!
    const frame = Buffer.allocUnsafeSlow(length)
    frame.set(this.bytes.subarray(at + 4, at + 4 + length))
    Atomics.store(this.header, READ, (read + 4 + ((length + 3) & ~3)) | 0)
    return frame
  }

  /** Reader: it looks no more by itself and wants to be woken. Whoever says so must look once more. */
  sleep(): void {
    Atomics.store(this.header, SLEEPING, 1)
  }

  awake(): void {
    Atomics.store(this.header, SLEEPING, 0)
  }

  /** Writer: whether the reader must be woken; says so once. */
  takeSleeping(): boolean {
    return Atomics.load(this.header, SLEEPING) === 1 && Atomics.exchange(this.header, SLEEPING, 0) === 1
  }
}
