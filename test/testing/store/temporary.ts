import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

const made: string[] = []

/** A new directory; `removeTemporary` takes all of them away. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'spimpl-test-'))
  made.push(directory)
  return directory
}

export async function removeTemporary(): Promise<void> {
  await Promise.all(made.splice(0).map(directory => rm(directory, { recursive: true, force: true })))
}
