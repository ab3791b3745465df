// Cycles of files: files that import each other, directly or around a corner, values and types alike. Part of the law (law.mjs).

/**
 * Groups of two or more files that reach each other (strongly connected components, by Tarjan's algorithm).
 *
 * @param imports each file and the files that it imports
 */
export function cyclesOf(imports) {
  const found = []
  const order = new Map()
  const lowest = new Map()
  const open = []
  const visit = file => {
    order.set(file, order.size)
    lowest.set(file, order.get(file))
    open.push(file)
    for (const next of imports.get(file) ?? []) {
      if (!imports.has(next)) continue
      if (!order.has(next)) visit(next)
      if (open.includes(next)) lowest.set(file, Math.min(lowest.get(file), lowest.get(next)))
    }
    if (lowest.get(file) !== order.get(file)) return
    const group = open.splice(open.indexOf(file))
    if (group.length > 1) found.push(group.sort())
  }
  for (const file of imports.keys()) if (!order.has(file)) visit(file)
  return found
}

/**
 * Violations: a cycle that no entry of `allowed` names as a whole, an entry without a reason, and one whose cycle is gone.
 *
 * @param allowed entries `{ files, reason }` of floors.json
 */
export function cycleViolations(imports, allowed = []) {
  const cycles = cyclesOf(imports)
  const violations = []
  for (const cycle of cycles) {
    if (allowed.some(({ files }) => cycle.every(file => files.includes(file)))) continue
    violations.push({
      file: cycle[0],
      rule: 'cycle',
      message: `is in a cycle of ${cycle.length} files: ${cycle.join(', ')}; which part of them wants its own file?`,
    })
  }
  for (const { files, reason } of allowed) {
    if (!reason) violations.push({ file: files[0], rule: 'cycle', message: 'is allowed a cycle without a reason' })
    if (cycles.some(cycle => cycle.every(file => files.includes(file)))) continue
    violations.push({ file: files[0], rule: 'cycle', message: 'is allowed a cycle that is gone: take it off the list' })
  }
  return violations
}
