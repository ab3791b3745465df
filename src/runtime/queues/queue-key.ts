/** A key of queue-specific data. Two keys with the same name are different keys. */
export class QueueKey<T> {
  readonly name: string
  /** Only for the compiler. */
  declare readonly type?: T

  constructor(name: string) {
    this.name = name
  }
}
