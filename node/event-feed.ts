/** One subscriber missed events because it did not take them fast enough. */
export interface EventsDropped {
  readonly type: 'events-dropped'
  /** How many events are missing here. */
  readonly count: number
}

/** How many events wait for one subscriber; beyond that the oldest are dropped. */
export const EVENTS_BUFFERED = 1024

/**
 * Events for any number of subscribers. Each `for await` is a subscription of its own, from the moment it begins: it
 * sees the events published from then on, in order. A slow subscriber loses the oldest of its events, and sees
 * `events-dropped` in their place. Without subscribers an event costs nothing.
 */
export class EventFeed<Event> implements AsyncIterable<Event | EventsDropped> {
  readonly #capacity: number
  readonly #subscriptions = new Set<Subscription<Event>>()
  #hasEnded = false

  constructor(capacity = EVENTS_BUFFERED) {
    this.#capacity = capacity
  }

  publish(event: Event): void {
    for (const subscription of this.#subscriptions) subscription.push(event)
  }

  /** Subscribers still take what waits for them, then their loops end. */
  end(): void {
    this.#hasEnded = true
    for (const subscription of this.#subscriptions) subscription.end()
    this.#subscriptions.clear()
  }

  [Symbol.asyncIterator](): AsyncIterator<Event | EventsDropped, undefined> {
    const subscription = new Subscription<Event>(this.#capacity, () => this.#subscriptions.delete(subscription))
    if (this.#hasEnded) subscription.end()
    else this.#subscriptions.add(subscription)
    return subscription
  }
}

type Next<Event> = IteratorResult<Event | EventsDropped, undefined>

const DONE = { done: true, value: undefined } as const

class Subscription<Event> implements AsyncIterator<Event | EventsDropped, undefined> {
  readonly #capacity: number
  readonly #unsubscribe: () => void
  #waiting: Event[] = []
  #dropped = 0
  #hasEnded = false
  /** Calls of `next` that found nothing, the first one first. */
  #readers: ((next: Next<Event>) => void)[] = []

  constructor(capacity: number, unsubscribe: () => void) {
    this.#capacity = capacity
    this.#unsubscribe = unsubscribe
  }

  push(event: Event): void {
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader({ done: false, value: event })
      return
    }
    if (this.#waiting.length === this.#capacity) {
      this.#waiting.shift()
      this.#dropped += 1
    }
    this.#waiting.push(event)
  }

  end(): void {
    this.#hasEnded = true
    for (const reader of this.#readers.splice(0)) reader(DONE)
  }

  next(): Promise<Next<Event>> {
    if (this.#dropped > 0) {
      const count = this.#dropped
      this.#dropped = 0
      return Promise.resolve({ done: false, value: { type: 'events-dropped', count } })
    }
    const event = this.#waiting.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#hasEnded) return Promise.resolve(DONE)
    return new Promise(resolve => this.#readers.push(resolve))
  }

  return(): Promise<Next<Event>> {
    this.#unsubscribe()
    this.#waiting = []
    this.#dropped = 0
    this.end()
    return Promise.resolve(DONE)
  }
}
