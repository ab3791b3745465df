import { RlpFault, type RlpReader } from '../../codec/rlp.ts'
import { MAX_TRIE_ITEMS } from './ordered-trie.ts'

/** The offset of each item of a list. Afterwards the reader is at the first item again. */
export function itemStarts(list: RlpReader, what: string): number[] {
  const first = list.at
  const starts: number[] = []
  while (!list.atEnd) {
    if (starts.length === MAX_TRIE_ITEMS) throw new RlpFault(`expected at most ${MAX_TRIE_ITEMS} ${what}`)
    starts.push(list.at)
    list.skip()
  }
  list.moveTo(first)
  return starts
}
