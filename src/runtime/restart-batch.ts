import type { ActorCell } from './actor-cell.ts'
import type { SupervisionStrategy } from './supervision.ts'
import { Timer } from './timer-wheel.ts'

/** A restart of one child or several: they go down from the youngest to the oldest, and come up in the order of their start. */
export class RestartBatch extends Timer {
  private readonly cells: ActorCell[]
  private readonly parent: ActorCell
  private readonly delayMs: number
  private down: number
  private done = false

  constructor(parent: ActorCell, failed: ActorCell, strategy: SupervisionStrategy, delayMs: number) {
    super()
    this.parent = parent
    this.delayMs = delayMs
    const siblings = [...parent.children!.values()]
    const from = strategy === 'one-for-one' ? siblings.indexOf(failed) : 0
    const first = strategy === 'rest-for-one' ? siblings.indexOf(failed) : from
    const to = strategy === 'one-for-one' ? first + 1 : siblings.length
    this.cells = siblings.slice(first, to).filter(cell => {
      const { state } = cell.lifecycle
      return state === 'running' || state === 'starting' || state === 'failed'
    })
    this.down = this.cells.length
  }

  /** Called whenever one of its cells is down. */
  advance(): void {
    while (!this.done && this.down > 0) {
      const { lifecycle } = this.cells[this.down - 1]!
      if (lifecycle.state === 'running' || lifecycle.state === 'starting' || lifecycle.state === 'failed') {
        lifecycle.goDown(this)
      }
      if (lifecycle.state !== 'waiting' && lifecycle.state !== 'stopped') return
      this.down--
    }
    if (this.done) return
    this.done = true
    if (this.delayMs > 0) this.parent.root.setTimer(this, this.parent.system.now() + this.delayMs)
    else this.fire()
  }

  override fire(): void {
    for (const cell of this.cells) cell.lifecycle.comeUp()
  }
}
