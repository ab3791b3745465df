/**
 * A C library that ends the process when a second thread calls it (native/test/one-thread/one_thread.c), confined to one
 * thread and used by eight callers at once.
 */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { PinnedThread } from 'node-dispatch-addon'

let add: (by: number) => unknown

export async function start(library: string): Promise<void> {
  const { default: koffi } = await import('koffi')
  add = koffi.load(library).func('long one_thread_add(long by)')
}

export function sum(by: number): number {
  return Number(add(by))
}

async function main(): Promise<void> {
  const builder = path.resolve(import.meta.dirname, '..', '..', 'native', 'test', 'one-thread', 'library.js')
  const { oneThreadLibrary } = (await import(pathToFileURL(builder).href)) as { oneThreadLibrary(): string | undefined }
  const library = oneThreadLibrary()
  if (library === undefined) {
    console.log('this example builds a small C library, and there is no C compiler here')
    return
  }
  const confined = await PinnedThread.confine(import.meta.url, { name: 'one-thread', initial: library })
  const sums = await Promise.all(Array.from({ length: 8 }, () => confined.call('sum', [1])))
  console.log(`sums of eight callers: ${sums}`)
  await confined.stop()
}

// The confined thread imports this file too, for the functions above.
if (import.meta.filename === process.argv[1]) await main()
