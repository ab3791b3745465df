import { type BenchRow, round } from './report.ts'

/** One who does the same work as the others: `run` does it `operations` times and is timed. */
export interface Contender {
  /** `spimpl`, or the name of the peer. */
  readonly peer: string
  /** How many operations one run is; a slow peer may do fewer, because figures are for each operation. */
  readonly operations: number
  /** Made anew for each run and not timed. */
  readonly prepare?: () => unknown
  readonly run: (operations: number) => unknown
  /** Not timed. */
  readonly cleanUp?: () => unknown
}

/**
 * Times contenders side by side: run by run in turn, not one after the other, so that a busy machine is busy for all of
 * them. One run before the first is not counted, it lets the compiler warm up.
 *
 * @returns a row for each, nanoseconds for one operation
 */
export async function sideBySide(subject: string, contenders: readonly Contender[], runs = 5): Promise<BenchRow[]> {
  const timings = new Map<string, number[]>(contenders.map(({ peer }) => [peer, []]))
  for (let run = -1; run < runs; run++) {
    for (const contender of contenders) {
      const nanoseconds = await time(contender)
      if (run >= 0) timings.get(contender.peer)!.push(nanoseconds)
    }
  }
  return contenders.map(({ peer }) => rowOf(subject, peer, 'time', 'ns/op', timings.get(peer)!))
}

/** Nanoseconds for one operation of one run. */
export async function time({ operations, prepare, run, cleanUp }: Contender): Promise<number> {
  await prepare?.()
  globalThis.gc?.()
  const start = process.hrtime.bigint()
  await run(operations)
  const nanoseconds = Number(process.hrtime.bigint() - start) / operations
  await cleanUp?.()
  return nanoseconds
}

/** A row of figures measured in whatever way; throughput and sizes as well as times. */
export function rowOf(
  subject: string,
  peer: string,
  metric: string,
  unit: string,
  figures: readonly number[],
): BenchRow {
  const sorted = [...figures].sort((a, b) => a - b)
  return {
    subject,
    peer,
    metric,
    unit,
    median: round(percentile(sorted, 0.5)),
    min: round(sorted[0] ?? Number.NaN),
    max: round(sorted.at(-1) ?? Number.NaN),
    runs: sorted.length,
  }
}

/** @param sorted ascending */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)]!
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at))
}
