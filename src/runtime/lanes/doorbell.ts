/** What the reader does. */
const AWAKE = 0
const SLEEPING = 1

const STATE = 0
/** A cache line, so that nothing else is written where everybody reads. */
const BYTES = 64

/**
 * One word in shared memory for each thread that reads from rings: whether it looks by itself, or must be woken.
 *
 * Any number of rings lead to one reader, and any thread may ring. All accesses are sequentially consistent (`Atomics`):
 *
 *     reader                                     writer
 *     1. state := SLEEPING                       1. puts its frame into the ring
 *     2. looks at all rings once more; is        2. before := exchange(state, AWAKE), unless it reads AWAKE
 *        something there: state := AWAKE         3. was it SLEEPING: a message through its port
 *     3. returns to its event loop
 *
 * No wake-up is lost. Either the frame is in the ring before the reader's second look, which sees it; or the writer's step 1
 * comes after that look, so its step 2 comes after the reader's step 1 and finds SLEEPING; or it finds AWAKE because another
 * writer was first, who wakes the reader for both. A writer that dies between its steps 2 and 3 is a thread that ends, and
 * whoever sees the end starts the reader ({@link LaneWatch.remove}).
 *
 * Room in a full ring is waited for in the same way, the parts exchanged: see {@link SharedRing.hasRoom}.
 *
 * The message goes through a port, because that is what libuv's poll can be left for. Measured instead, with all processors
 * busy: a futex (`Atomics.wait`) deafens the thread to sockets and timers, and with a timeout short enough that nobody notices
 * (0.2 ms) the timer it programs makes a round trip 50 us, where one of 5 ms makes it 21; `Atomics.waitAsync` wakes
 * libuv as a port does, and was 2 us slower.
 */
export class Doorbell {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array

  /** @param buffer that of the reader's, on other threads */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
  }

  /** Writer, behind its write: @returns whether it must send the message that wakes the reader; says so once */
  ring(): boolean {
    return Atomics.load(this.#words, STATE) === SLEEPING && Atomics.exchange(this.#words, STATE, AWAKE) === SLEEPING
  }

  /**
   * Reader: it returns to its event loop and looks no more before a message comes.
   * @param arrived whether something is there already
   * @returns false when something is: it must not sleep
   */
  sleep(arrived: () => boolean): boolean {
    Atomics.store(this.#words, STATE, SLEEPING)
    if (!arrived()) return true
    this.awake()
    return false
  }

  /** Reader: it looks by itself again. */
  awake(): void {
    Atomics.store(this.#words, STATE, AWAKE)
  }
}
