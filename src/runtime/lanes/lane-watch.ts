import { Doorbell } from './doorbell.ts'
import { Patience } from './patience.ts'

/** What a thread watches: one end of the way to another lane. */
export interface Watched {
  /** Whether `look` would find something to do. */
  readonly arrived: boolean
  /** How long the thread may do nothing for others without keeping its own work: 0 while something is ready on it. */
  readonly leisureMs: number
  /** Takes what came and sends on what waited for room. @returns how many messages came */
  look(): number
}

/**
 * How long an answer is looked for, the processor being kept. It is what an answer takes while both threads run; for libuv to be
 * woken takes 8 to 25 us for each way, which is most of what a round trip takes otherwise.
 */
const LOOKING_MS = 0.03
/** Who has a timer sooner than this does not look longer. */
const LEISURE_MS = 1
/** Who brings so many messages brings more: looking on in the next turn is cheaper than to be woken. */
const MANY = 32

/**
 * Watches the rings that lead to this thread. A message through a port wakes it; it looks, and sleeps again at once. While
 * many messages come it stays awake and looks once in each turn of the event loop, so that libuv polls and timers fire between
 * two looks. And while answers come soon it stays awake too, and looks for the next some microseconds longer: only where that
 * has paid lately ({@link Patience}), and where nothing of this thread waits. Two threads that take turns on one
 * processor so sleep, two that run at the same time never do, and an idle lane uses no processor.
 */
export class LaneWatch {
  /** Others ring it when they have written. */
  readonly bell: Doorbell
  private readonly watched: Watched[] = []
  private readonly patience: Patience
  private active = false

  constructor(bell = new Doorbell(), patience = new Patience()) {
    this.bell = bell
    this.patience = patience
  }

  add(link: Watched): void {
    this.watched.push(link)
    this.start()
  }

  remove(link: Watched): void {
    const at = this.watched.indexOf(link)
    if (at >= 0) this.watched.splice(at, 1)
    // A thread that ends may have taken the wake-up of another with it.
    this.start()
  }

  /** Looks from the next turn of the event loop on, until nothing comes. */
  start(): void {
    if (this.active) return
    this.active = true
    this.bell.awake()
    setImmediate(this.onTurn)
  }

  /** Something was sent, and the answer may come soon. */
  sent(): void {
    if (!this.active && this.patience.occasion()) this.start()
  }

  /** The message came that wakes. */
  woken(): void {
    if (this.active) return
    let asleep = false
    try {
      asleep = this.look() < MANY && !this.patience.occasion() && this.bell.sleep(this.arrived)
    } finally {
      if (!asleep) this.start()
    }
  }

  private readonly onTurn = (): void => {
    let asleep = false
    try {
      asleep = this.look() === 0 && !this.lookLonger() && this.bell.sleep(this.arrived)
    } finally {
      if (asleep) this.active = false
      else setImmediate(this.onTurn)
    }
  }

  private look(): number {
    let found = 0
    for (const link of this.watched) found += link.look()
    return found
  }

  /** @returns whether something came within the time that this thread can spare */
  private lookLonger(): boolean {
    if (!this.patience.trying || !this.atLeisure) return false
    const untilMs = performance.now() + LOOKING_MS
    let came = false
    do {
      came = this.arrived()
    } while (!came && performance.now() < untilMs)
    this.patience.learn(came)
    if (came) this.look()
    return came
  }

  private get atLeisure(): boolean {
    for (const link of this.watched) if (link.leisureMs < LEISURE_MS) return false
    return this.watched.length > 0
  }

  private readonly arrived = (): boolean => {
    for (const link of this.watched) if (link.arrived) return true
    return false
  }
}

/** That of this thread. */
export const laneWatch = new LaneWatch()
