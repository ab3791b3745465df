import { Doorbell } from './doorbell.ts'
import { SpinPolicy } from './spin-policy.ts'

/** One end of the way to another lane, as the thread that reads from it watches it. */
export interface Watched {
  /** `look` would find something to do. */
  readonly arrived: boolean
  /** How long the thread may spin without delaying its own work: 0 while something is ready on it. */
  readonly leisureMs: number
  /** Takes the messages that have arrived, and sends those that waited for room. @returns how many messages it took */
  look(): number
}

/**
 * How long a thread spins for an answer. An answer takes about this long while both threads run; waking libuv takes 8
 * to 25 us for each way, most of a round trip otherwise.
 */
const SPIN_MS = 0.03
/** A thread with a timer that is due sooner does not spin. */
const LEISURE_MS = 1
/** So many messages at once are followed by more: to look again in the next turn costs less than to be woken. */
const MANY = 32

/**
 * Watches the rings that lead to this thread. A message through a port wakes the thread; it looks, and sleeps again at
 * once. While many messages come it stays awake and looks once in each turn of the event loop, so that libuv polls and
 * timers fire between two looks. While answers come soon it stays awake too, and spins for the next one for some
 * microseconds: only if that has paid lately ({@link SpinPolicy}), and only if nothing of this thread waits. So two
 * threads that share one processor sleep, two threads that run at the same time never do, and an idle lane uses no
 * processor.
 */
export class LaneWatch {
  /** Writers ring it when they have written. */
  readonly bell: Doorbell
  readonly #watched: Watched[] = []
  readonly #spinPolicy: SpinPolicy
  #isActive = false

  constructor(bell = new Doorbell(), spinPolicy = new SpinPolicy()) {
    this.bell = bell
    this.#spinPolicy = spinPolicy
  }

  add(link: Watched): void {
    this.#watched.push(link)
    this.start()
  }

  remove(link: Watched): void {
    const at = this.#watched.indexOf(link)
    if (at >= 0) this.#watched.splice(at, 1)
    // The thread at the other end may have died with a wake-up for this one still unsent.
    this.start()
  }

  /** Looks from the next turn of the event loop on, until nothing comes. */
  start(): void {
    if (this.#isActive) return
    this.#isActive = true
    this.bell.awake()
    setImmediate(this.#onTurn)
  }

  /** A message was sent, and the answer may come soon. */
  sent(): void {
    if (!this.#isActive && this.#spinPolicy.shouldSpin()) this.start()
  }

  /** The wake-up message has come. */
  woken(): void {
    if (this.#isActive) return
    let isAsleep = false
    try {
      isAsleep = this.#look() < MANY && !this.#spinPolicy.shouldSpin() && this.bell.sleep(this.#hasArrived)
    } finally {
      if (!isAsleep) this.start()
    }
  }

  readonly #onTurn = (): void => {
    let isAsleep = false
    try {
      isAsleep = this.#look() === 0 && !this.#spin() && this.bell.sleep(this.#hasArrived)
    } finally {
      if (isAsleep) this.#isActive = false
      else setImmediate(this.#onTurn)
    }
  }

  #look(): number {
    let found = 0
    for (const link of this.#watched) found += link.look()
    return found
  }

  /** @returns whether a message came within the time that this thread can spare */
  #spin(): boolean {
    if (!this.#spinPolicy.isOn || !this.#isAtLeisure) return false
    const untilMs = performance.now() + SPIN_MS
    let hasArrived = false
    do {
      hasArrived = this.#hasArrived()
    } while (!hasArrived && performance.now() < untilMs)
    this.#spinPolicy.record(hasArrived)
    if (hasArrived) this.#look()
    return hasArrived
  }

  get #isAtLeisure(): boolean {
    for (const link of this.#watched) if (link.leisureMs < LEISURE_MS) return false
    return this.#watched.length > 0
  }

  readonly #hasArrived = (): boolean => {
    for (const link of this.#watched) if (link.arrived) return true
    return false
  }
}

/** The watch of this thread. */
export const laneWatch = new LaneWatch()
