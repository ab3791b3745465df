import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { benchDirectory, hasProgram } from '../peers.ts'
import type { ActorPeer } from './actor-peer.ts'

const SUBJECTS = ['tell', 'pingPong', 'ask', 'spawnStop', 'fanIn', 'ring', 'idle'] as const

/** Erlang/OTP with bench/actor-peers/actors.erl, each figure from a fresh emulator with one scheduler. */
export function erlangPeer(): ActorPeer | undefined {
  if (!hasProgram('erl') || !hasProgram('erlc')) return undefined
  const directory = mkdtempSync(path.join(tmpdir(), 'spimpl-bench-'))
  const source = path.join(benchDirectory, 'actor-peers', 'actors.erl')
  if (spawnSync('erlc', ['-o', directory, source], { stdio: 'inherit' }).status !== 0) return undefined
  const measure = (subject: string) => async (operations: number) => {
    const { stdout } = spawnSync(
      'erl',
      [
        '+S',
        '1:1',
        '+P',
        '1000000',
        '-noshell',
        '-pa',
        directory,
        '-run',
        'actors',
        'main',
        subject,
        String(operations),
      ],
      { encoding: 'utf8' },
    )
    const figure = Number(stdout.trim())
    if (!Number.isFinite(figure) || stdout.trim() === '') throw new Error(`erl said ${stdout} of ${subject}`)
    return figure
  }
  const subjects = Object.fromEntries(SUBJECTS.map(subject => [subject, measure(subject)]))
  return {
    peer: 'Erlang/OTP',
    share: 1,
    ...subjects,
    close: () => rmSync(directory, { recursive: true, force: true }),
  }
}
