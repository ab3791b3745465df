/** States of the reader. */
const AWAKE = 0
const SLEEPING = 1

const STATE = 0
/** A cache line, so that no other data is written where all threads read. */
const BYTES = 64

/**
 * One word in shared memory for each thread that reads from rings: whether the thread is looking by itself, or must be
 * woken.
 *
 * Any number of rings lead to one reader, and any thread may ring. All accesses are sequentially consistent
 * (`Atomics`):
 *
 *     reader                                     writer
 *     1. state := SLEEPING                       1. puts its frame into the ring
 *     2. looks at all rings once more;           2. before := exchange(state, AWAKE), unless it reads AWAKE
 *        if a frame is there: state := AWAKE     3. if before was SLEEPING: sends a message through its port
 *     3. returns to its event loop
 *
 * No wake-up is lost. Either the frame is in the ring before the reader's second look, which sees it. Or the writer's
 * step 1 comes after that look, so its step 2 comes after the reader's step 1 and finds SLEEPING. Or the writer finds
 * AWAKE because another writer was first, and that one wakes the reader for both. A writer that dies between its steps
 * 2 and 3 is a thread that ends, and the thread that sees this end starts the reader ({@link LaneWatch.remove}).
 *
 * A writer waits for room in a full ring in the same way, with the roles exchanged: see {@link SharedRing.hasRoom}.
 *
 * The message goes through a port, because a port can wake libuv's poll. Two alternatives were measured with all
 * processors busy. A futex (`Atomics.wait`) deafens the thread to sockets and timers; with a timeout short enough to go
 * unnoticed (0.2 ms), the timer that it sets makes a round trip 50 us, where a timeout of 5 ms makes it 21 us.
 * `Atomics.waitAsync` wakes libuv as a port does, and was 2 us slower.
 */
export class Doorbell {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array

  /** @param buffer on a writer's thread, the buffer of the reader's doorbell */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
  }

  /**
   * Writer, after its write.
   * @returns whether this writer must send the message that wakes the reader: true for one writer only
   */
  ring(): boolean {
    return Atomics.load(this.#words, STATE) === SLEEPING && Atomics.exchange(this.#words, STATE, AWAKE) === SLEEPING
  }

  /**
   * Reader: it is about to return to its event loop, and to look no more until a message comes.
   * @param arrived whether a frame has arrived already
   * @returns false if one has: the reader must not sleep
   */
  sleep(arrived: () => boolean): boolean {
    Atomics.store(this.#words, STATE, SLEEPING)
    if (!arrived()) return true
    this.awake()
    return false
  }

  /** Reader: it looks by itself from now on. */
  awake(): void {
    Atomics.store(this.#words, STATE, AWAKE)
  }
}
