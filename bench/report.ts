import { cpus, totalmem } from 'node:os'

/** One figure: the median of several runs, and how far they spread. */
export interface BenchRow {
  /** What is measured, as `tell`. */
  readonly subject: string
  /** Whose figure it is: `spimpl` or the name of a peer. */
  readonly peer: string
  /** As `ns/message`, `messages/s`, `B/actor`. */
  readonly metric: string
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly runs: number
}

/** What a twin returns. */
export interface BenchReport {
  readonly rows: readonly BenchRow[]
  /** Named comparisons that goals are written against, as `tellVsNact: 12.5`. */
  readonly ratios: Readonly<Record<string, number>>
  /** Peers that were absent, and whatever a reader of the figures must know. */
  readonly notes: readonly string[]
}

/** What the command line passes on to a twin. */
export interface BenchOptions {
  /** Fewer and shorter runs: to see that it works, not to quote. */
  readonly quick: boolean
  /** How many runs each figure takes; the twin's own default when absent. */
  readonly runs: number | undefined
}

/** The machine in one line, for whoever reads figures without having it. */
export function machine(): string {
  const processors = cpus()
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  return `${process.platform} ${process.arch}, ${processors.length} x ${processors[0]?.model ?? 'unknown'}, ${gibibytes} GiB, Node ${process.version}`
}

/** Median over the medians' ratio: how many times the first figure goes into the second. */
export function ratioOf(
  rows: readonly BenchRow[],
  subject: string,
  slower: string,
  faster: string,
): number | undefined {
  const find = (peer: string) => rows.find(row => row.subject === subject && row.peer === peer)?.median
  const above = find(slower)
  const below = find(faster)
  return above === undefined || below === undefined || below === 0 ? undefined : round(above / below)
}

/** Four significant digits: more is noise. */
export function round(value: number): number {
  return Number(value.toPrecision(4))
}

/** A table for people. */
export function table(name: string, report: BenchReport): string {
  const header = ['subject', 'peer', 'median', 'min', 'max', 'unit', 'runs']
  const lines = report.rows.map(row => [
    row.subject,
    row.peer,
    ...[row.median, row.min, row.max].map(value => round(value).toLocaleString('en-US')),
    row.unit,
    String(row.runs),
  ])
  const widths = header.map((title, column) => Math.max(title.length, ...lines.map(line => line[column]!.length)))
  const numeric = new Set([2, 3, 4, 6])
  const format = (cells: readonly string[]) =>
    cells.map((cell, at) => (numeric.has(at) ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!))).join('  ')
  const ratios = Object.entries(report.ratios).map(([key, value]) => `  ${key}: ${value}`)
  return [
    `${name}, on ${machine()}`,
    '',
    format(header),
    ...lines.map(format),
    ...(ratios.length > 0 ? ['', 'ratios', ...ratios] : []),
    ...report.notes.map(note => `note: ${note}`),
  ].join('\n')
}
