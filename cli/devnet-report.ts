import type { HistoryKey } from '../src/history/history.ts'

/** An item that a devnet moves from node to node. */
export interface Item {
  readonly name: string
  readonly key: HistoryKey
  readonly bytes: Uint8Array
}

/** How one node retrieved one item. */
export interface Delivery {
  readonly node: number
  readonly item: Item
  readonly milliseconds: number
  readonly utpTransfer: boolean
  /** How many nodes were asked, including the one that had it. */
  readonly hops: number
  /** Undefined: it arrived, complete and valid. */
  readonly failure: string | undefined
}

/** What `--json` prints. */
export interface DevnetReport {
  readonly nodes: number
  /** Each block has two: its body and its receipts. */
  readonly items: number
  /** Pairs of an item and a node. */
  readonly retrievals: number
  readonly failed: number
  /** Content bytes of all retrievals. */
  readonly bytes: number
  readonly seconds: number
  readonly viaUtp: number
  readonly inline: number
  readonly executor: string
}

export function reportOf(run: {
  readonly nodes: number
  readonly items: readonly Item[]
  readonly deliveries: readonly Delivery[]
  readonly seconds: number
  readonly executor: string
}): DevnetReport {
  const good = run.deliveries.filter(({ failure }) => failure === undefined)
  const retrievals = run.nodes * run.items.length
  return {
    nodes: run.nodes,
    items: run.items.length,
    retrievals,
    failed: retrievals - good.length,
    bytes: good.reduce((sum, { item }) => sum + item.bytes.length, 0),
    seconds: Math.round(run.seconds * 1000) / 1000,
    viaUtp: good.filter(({ utpTransfer }) => utpTransfer).length,
    inline: good.filter(({ utpTransfer }) => !utpTransfer).length,
    executor: run.executor,
  }
}

/** A line for each item and two for the whole run, at most 80 columns wide. */
export function retrievalTable(items: readonly Item[], deliveries: readonly Delivery[], report: DevnetReport): string {
  const rows = items.map(item => {
    const all = deliveries.filter(delivery => delivery.item === item)
    const good = all.filter(({ failure }) => failure === undefined)
    const ways = [
      good.some(({ utpTransfer }) => utpTransfer) && 'uTP',
      good.some(({ utpTransfer }) => !utpTransfer) && 'inline',
    ]
    return [
      item.name,
      item.bytes.length.toLocaleString('en'),
      ways.filter(Boolean).join('+') || '-',
      median(good.map(({ hops }) => hops)).toFixed(0),
      median(good.map(({ milliseconds }) => milliseconds)).toFixed(1),
      `${good.length}/${report.nodes}${all.length === good.length ? '' : ` ${[...new Set(all.map(({ failure }) => failure))].filter(Boolean).join(' ')}`}`,
    ]
  })
  const header = ['item', 'bytes', 'way', 'hops', 'ms (median)', 'validated']
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 || column === 5 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd()
  const { retrievals, failed, bytes, seconds, viaUtp, inline, nodes, executor } = report
  const megabytes = (bytes / 1e6).toFixed(1)
  const total = [
    `${nodes} nodes, ${retrievals} retrievals, ${failed} failed; ${megabytes} MB in ${seconds.toFixed(1)} s`,
    `${viaUtp} over uTP, ${inline} inline; ${executor}`,
  ]
  return [line(header), line(widths.map(width => '-'.repeat(width))), ...rows.map(line), '', ...total].join('\n')
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

const LINE_INTERVAL_MS = 1000

/** One line that is rewritten on a terminal; elsewhere a line each second, so that a log stays short. */
export class Progress {
  #stream: NodeJS.WriteStream | undefined
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(stream: NodeJS.WriteStream | undefined) {
    this.#stream = stream
  }

  say(text: string): void {
    if (this.#stream === undefined) return
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[K${text.slice(0, this.#stream.columns - 1)}`)
      return
    }
    const now = performance.now()
    if (now - this.#lastMs < LINE_INTERVAL_MS) return
    this.#lastMs = now
    this.#stream.write(`${text}\n`)
  }

  /** Ends the progress line: retrievals that Ctrl-C aborts afterwards fail, and are not reported. */
  done(): void {
    if (this.#stream?.isTTY) this.#stream.write('\r\x1b[K')
    this.#stream = undefined
  }
}
