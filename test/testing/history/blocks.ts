import path from 'node:path'
import type { Block } from '../../../src/history/headers/block-file.ts'
import { loadBlocks } from '../../../src/history/headers/block-file.ts'
import { vectorsDirectory } from '../../vectors.ts'

/** The folder of mainnet blocks, or undefined in a user's clone. */
export function blocksDirectory(): string | undefined {
  const vectors = vectorsDirectory()
  return vectors === undefined ? undefined : path.join(vectors, 'mainnet', 'block-data')
}

/** Real mainnet blocks, by number; none in a user's clone. */
export async function mainnetBlocks(): Promise<Block[]> {
  const directory = blocksDirectory()
  return directory === undefined ? [] : loadBlocks(directory)
}
