/** The clock port. All waiting and measuring uses this clock, so that tests run in virtual time. */
export interface Clock {
  /** Milliseconds of a monotonic clock, with a fraction. */
  now(): number
  /** Milliseconds since the Unix epoch, for values that people and other programs read. */
  wallTime(): number
}

/** The machine's clocks, in milliseconds: `now` is monotonic, `wallTime` counts from the epoch. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
}
