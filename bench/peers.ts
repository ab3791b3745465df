import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** `bench/`, seen from the compiled file (dist/bench/). */
export const benchDirectory = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'bench')

const importer = (await import(pathToFileURL(path.join(benchDirectory, 'import-peer.mjs')).href)) as {
  readonly importPeer: (name: string) => Promise<{ readonly default?: unknown }>
}

/**
 * A peer from bench/node_modules, where it is installed: users never have it. The caller says what shape it expects.
 *
 * @returns `undefined` when it is not installed or does not load here
 */
export async function loadPeer<Peer>(name: string): Promise<Peer | undefined> {
  try {
    const loaded = await importer.importPeer(name)
    const keys = Object.keys(loaded)
    // A CommonJS module whose names Node cannot see has them all under `default`.
    return (keys.every(key => key === 'default' || key === 'module.exports') ? loaded.default : loaded) as Peer
  } catch {
    return undefined
  }
}

/** The version of a peer, for notes. */
export function peerVersion(name: string): string | undefined {
  try {
    const file = path.join(benchDirectory, 'node_modules', name, 'package.json')
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
  } catch {
    return undefined
  }
}

/** Whether a program can be started, as `erl`. */
export function hasProgram(name: string): boolean {
  return spawnSync('which', [name], { stdio: 'ignore' }).status === 0
}

/** What stands under a table for a peer that was not there. */
export function absent(peer: string): string {
  return `${peer} is not installed here, its rows are skipped`
}
