import type { SupervisionStrategy } from '../supervising/supervision.ts'
import { HERE, type Plan, supervisorsOf } from './plan.ts'

/** A row of a composition as data. */
export interface RowDescription {
  readonly supervisor: string
  readonly strategy: SupervisionStrategy
  readonly row: string
  /** `main` for the thread that starts the composition. */
  readonly lane: string
  /** The phase of shutdown in which it stops. */
  readonly phase: string
  readonly needs: readonly string[]
}

/** The rows of a plan, in the order of their start. */
export function describeRows(plan: Plan): readonly RowDescription[] {
  const supervisors = new Map(plan.supervisors.map(supervisor => [supervisor.name, supervisor]))
  return plan.rows.map(({ name, supervisor, lane, needs }) => {
    const { supervision, phase } = supervisors.get(supervisor)!
    return { supervisor, strategy: supervision.strategy!, row: name, lane, phase: phase.name, needs }
  })
}

/** A table in the notation of Markdown, whose columns line up. A supervisor stands in its first row only. */
export function toText(plan: Plan): string {
  const lines: (readonly string[])[] = [['supervisor', 'row', 'lane', 'phase', 'needs']]
  let above: string | undefined
  for (const { supervisor, strategy, row, lane, phase, needs } of describeRows(plan)) {
    lines.push([supervisor === above ? '' : `${supervisor}: ${strategy}`, row, lane, phase, needs.join(', ')])
    above = supervisor
  }
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(cells => cells[column]!.length)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`
  return [line(lines[0]!), rule, ...lines.slice(1).map(line)].join('\n')
}

/** A flowchart: supervisors are subgraphs, and an arrow leads from a row to each row that it needs. */
export function toMermaid(plan: Plan): string {
  const rows = describeRows(plan)
  // Mermaid has words of its own, `end` for one, that no name may be.
  const id = (name: string) => `row${rows.findIndex(({ row }) => row === name)}`
  const text = ['flowchart BT']
  for (const [at, { name, supervision, phase }] of supervisorsOf(plan).entries()) {
    text.push(`  subgraph supervisor${at}["${name}: ${supervision.strategy}, phase ${phase.name}"]`)
    for (const { row, lane } of rows.filter(({ supervisor }) => supervisor === name)) {
      text.push(`    ${id(row)}["${lane === HERE ? row : `${row} on ${lane}`}"]`)
    }
    text.push('  end')
  }
  for (const { row, needs } of rows) for (const need of needs) text.push(`  ${id(row)} --> ${id(need)}`)
  return text.join('\n')
}
