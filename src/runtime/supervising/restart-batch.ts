import type { ActorCell } from '../actors/actor-cell.ts'
import { Timer } from '../queues/timer-wheel.ts'
import type { SupervisionStrategy } from './supervision.ts'

/** The failed child and the younger siblings that stand on it: a row of a composition on what it needs, any other on all before it. */
function standingOn(failed: ActorCell, siblings: readonly ActorCell[]): readonly ActorCell[] {
  const affected = new Set([failed.name])
  for (const { name, options } of siblings.slice(siblings.indexOf(failed) + 1)) {
    if (options.row === undefined || [...options.row.needs].some(need => affected.has(need))) affected.add(name)
  }
  return siblings.filter(({ name }) => affected.has(name))
}

/**
 * A restart of one child or several: they go down from the youngest to the oldest, and come up in the order of their start,
 * each when the one before it has started.
 */
export class RestartBatch extends Timer {
  private readonly cells: readonly ActorCell[]
  private readonly parent: ActorCell
  private readonly delayMs: number
  private down: number
  private up = 0
  private advancing = false
  private allDown = false

  constructor(parent: ActorCell, failed: ActorCell, strategy: SupervisionStrategy, delayMs: number) {
    super()
    this.parent = parent
    this.delayMs = delayMs
    const siblings = [...parent.children!.values()]
    const affected =
      strategy === 'one-for-one' ? [failed] : strategy === 'rest-for-one' ? standingOn(failed, siblings) : siblings
    this.cells = affected.filter(cell => !cell.lifecycle.ending)
    this.down = this.cells.length
    for (const cell of this.cells) cell.lifecycle.join(this)
  }

  /** All of it is down: what starts now starts for it. */
  get comesUp(): boolean {
    return this.allDown
  }

  /** Called whenever one of its cells is down, or has started, or has come to its end. */
  advance(): void {
    if (this.advancing) return
    this.advancing = true
    if (!this.allDown) this.takeDown()
    else this.bringUp()
    this.advancing = false
  }

  override fire(): void {
    this.bringUp()
  }

  private takeDown(): void {
    for (; this.down > 0; this.down--) {
      const cell = this.cells[this.down - 1]!
      const { lifecycle, options } = cell
      if (this.isInUse(cell)) return
      // As in OTP, a temporary one goes down with its siblings and does not come back.
      if (options.restart === 'temporary') lifecycle.requestStop('parent')
      else lifecycle.goDown(this)
      if (lifecycle.keepsUp(this)) return
    }
    this.allDown = true
    if (this.delayMs > 0) this.parent.root.setTimer(this, this.parent.system.now() + this.delayMs)
    else this.bringUp()
  }

  private bringUp(): void {
    if (this.pending) return
    for (; this.up < this.cells.length; this.up++) {
      const cell = this.cells[this.up]!
      const { lifecycle } = cell
      if (this.lacksNeeds(cell)) return
      lifecycle.comeUp(this)
      if (lifecycle.startsWith(this)) return
    }
  }

  /** A row that needs it goes down in another restart, and is not down yet. */
  private isInUse({ name, options: { row } }: ActorCell): boolean {
    if (row === undefined) return false
    const siblings = this.parent.children?.values() ?? []
    return [...siblings].some(
      ({ options, lifecycle }) =>
        options.row?.needs.has(name) === true && (lifecycle.goesDown || lifecycle.state === 'failed'),
    )
  }

  /** A row that it needs is not up: that one belongs to another restart. */
  private lacksNeeds({ options, lifecycle }: ActorCell): boolean {
    if (options.row === undefined || !lifecycle.isDownFor(this)) return false
    return [...options.row.needs].some(need => {
      const needed = this.parent.children?.get(need)?.lifecycle
      return needed !== undefined && !needed.ending && !needed.isUp
    })
  }
}
