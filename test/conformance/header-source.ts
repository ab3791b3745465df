import test, { type ExecutionContext } from 'ava'
import { ok } from '../../src/errors.ts'
import type { BlockHeader } from '../../src/history/headers/header.ts'
import type { HeaderSource } from '../../src/history/headers/header-source.ts'
import { headerOf } from '../testing/history/headers.ts'

/** What every implementation of the header source port must do; registers one test for each behaviour. */
export function headerSourceConformance(
  name: string,
  open: (t: ExecutionContext, headers: readonly BlockHeader[]) => Promise<HeaderSource>,
): void {
  const headers = [headerOf(1n, 'frontier'), headerOf(2n), headerOf(2n ** 40n), headerOf(2n ** 64n - 1n, 'amsterdam')]
  const UNAVAILABLE = { ok: false, code: 'HEADER_UNAVAILABLE' }

  test(`${name}: gives each header by its number, old and new, asked one by one and all at once`, async t => {
    const source = await open(t, headers)
    for (const header of headers) t.deepEqual(await source.headerByNumber(header.number), ok(header))
    const again = [...headers, ...headers].map(({ number }) => source.headerByNumber(number))
    t.deepEqual(await Promise.all(again), [...headers, ...headers].map(ok))
  })

  test(`${name}: what it has not is unavailable, with a reason`, async t => {
    const source = await open(t, headers)
    for (const number of [0n, 3n, 2n ** 63n]) {
      const answer = await source.headerByNumber(number)
      t.like(answer, UNAVAILABLE)
      t.true(!answer.ok && answer.detail.length > 10)
    }
    t.deepEqual(await source.headerByNumber(2n), ok(headers[1]!))
  })

  test(`${name}: a signal that fired ends the question, and only that one`, async t => {
    const source = await open(t, headers)
    t.like(await source.headerByNumber(1n, AbortSignal.abort()), UNAVAILABLE)
    t.deepEqual(await source.headerByNumber(1n, new AbortController().signal), ok(headers[0]!))
    // What is known already is no longer asked for, and still not told.
    t.like(await source.headerByNumber(1n, AbortSignal.abort()), UNAVAILABLE)
  })

  test(`${name}: a signal that fires late does nothing`, async t => {
    const source = await open(t, headers)
    const abort = new AbortController()
    t.deepEqual(await source.headerByNumber(1n, abort.signal), ok(headers[0]!))
    abort.abort()
    t.deepEqual(await source.headerByNumber(1n), ok(headers[0]!))
  })

  test(`${name}: once closed everything is unavailable, and closing again does nothing`, async t => {
    const source = await open(t, headers)
    t.true((await source.headerByNumber(1n)).ok)
    await source.close()
    await source.close()
    t.like(await source.headerByNumber(1n), UNAVAILABLE)
    t.like(await source.headerByNumber(2n), UNAVAILABLE)
  })
}
