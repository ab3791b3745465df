/**
 * The outcome of the checks: one row each.
 *
 *     check   what was tried
 *     result  `holds`, `fails`, or `skipped` where this machine cannot tell
 *     note    what is missing, in a sentence; or what was measured
 */

export const holds = (check, note = '') => ({ check, result: 'holds', note })
export const fails = (check, note) => ({ check, result: 'fails', note })
export const skipped = (check, note) => ({ check, result: 'skipped', note })

/** A row that holds where there is nothing to say. */
export const verdict = (check, faults, note) =>
  faults.length === 0 ? holds(check, note) : fails(check, faults.join('; '))

/** @returns lines in three columns; the last one has no fixed width */
export function formatTable(rows) {
  const width = Math.max(...rows.map(row => row.check.length), 'check'.length)
  const line = (check, result, note) => `${check.padEnd(width)}  ${result.padEnd(7)}  ${note}`.trimEnd()
  return [
    line('check', 'result', 'what is missing, or measured'),
    line('-'.repeat(width), '-------', '----------------------------'),
    ...rows.map(({ check, result, note }) => line(check, result, note)),
  ].join('\n')
}

/** The closing line, which has the form of the suites'. */
export function closing(rows) {
  const count = result => rows.filter(row => row.result === result).length
  const skips = count('skipped')
  return `${count('holds')} passed, ${count('fails')} failed${skips > 0 ? `, ${skips} skipped` : ''}`
}
