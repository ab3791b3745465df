import type { ActorCell } from '../actors/actor-cell.ts'
import { SpimplError } from '../errors.ts'
import { Timer } from '../queues/timer-wheel.ts'
import { FAILED } from '../watching/recorder.ts'

/** How long an actor may take to go down, for a restart or for good: OTP's `shutdown`. */
export class StopDeadline extends Timer {
  private readonly cell: ActorCell
  private passed = false

  constructor(cell: ActorCell) {
    super()
    this.cell = cell
  }

  /** For one that has begun to go down; `undefined` where that may take any time. */
  static begin(cell: ActorCell): StopDeadline | undefined {
    const { stopDeadlineMs } = cell.options
    if (stopDeadlineMs === undefined) return undefined
    const deadline = new StopDeadline(cell)
    cell.root.setTimer(deadline, cell.system.now() + stopDeadlineMs)
    return deadline
  }

  cancel(): void {
    this.cell.root.cancelTimer(this)
  }

  override fire(): void {
    const { lifecycle, options, path, root, system } = this.cell
    const late = hurry(this.cell)
    // Hooks that need a turn of their queue have some.
    if (lifecycle.goesDown) root.setTimer(this, system.now())
    if (this.passed) return
    this.passed = true
    for (const cell of late) {
      cell.note(FAILED, 0, 'late')
      const expected = `expected ${path} to go down within ${options.stopDeadlineMs} ms`
      system.report(
        cell,
        'is late',
        new SpimplError('ACTOR_LATE', `${expected}, ${cell.path} is not waited for any more`),
      )
    }
  }
}

/**
 * What goes down, and all below it, waits for nothing any more. Those that have not been told to stop are told now, and have done
 * so in time if they need no time for it: it was not they who were late.
 * @returns the others
 */
export function hurry(cell: ActorCell, late: ActorCell[] = []): readonly ActorCell[] {
  for (const child of [...(cell.children?.values() ?? [])].reverse()) {
    child.lifecycle.requestStop('parent')
    hurry(child, late)
  }
  if (!cell.lifecycle.goesDown) return late
  late.push(cell)
  cell.lifecycle.waitNoMore()
  return late
}
