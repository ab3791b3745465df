/** What the checks read from Markdown: programs and what they say they print, links, and the first column of a table. */
import path from 'node:path'

/**
 * The programs of a page: its blocks of TypeScript, named after the heading above them.
 * @returns {{ title: string, code: string, printed: { text: string, isPrefix: boolean }[] }[]}
 */
export function programs(page) {
  const found = []
  let title = ''
  for (const [, heading, code] of page.matchAll(/^#+ (.*)$|^```ts\n([\s\S]*?)^```$/gm)) {
    if (heading !== undefined) title = heading
    else found.push({ title, code, printed: printedLines(code) })
  }
  return found
}

/** `console.log(...) // text` says what is printed; a text that ends in `...` only how it begins. */
function printedLines(code) {
  return [...code.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => {
    const isPrefix = text.endsWith('...')
    return { text: isPrefix ? text.slice(0, -3) : text, isPrefix }
  })
}

/** The lines of `printed` that do not come in `output`, in their order. */
export function missingLines(printed, output) {
  const lines = output.split('\n')
  let at = 0
  const missing = []
  for (const { text, isPrefix } of printed) {
    const next = lines.findIndex((line, index) => index >= at && (isPrefix ? line.startsWith(text) : line === text))
    if (next < 0) missing.push(text)
    else at = next + 1
  }
  return missing
}

/** Relative links of a page that name a file which `files` (paths from the root of the package) does not have. */
export function brokenLinks(file, page, files) {
  const text = page.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, code => (code.includes('](') ? '' : code))
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target.split('#', 1)[0])
  return targets.filter(target => {
    if (target === '' || /^[a-z]+:/.test(target)) return false
    const wanted = path.posix.normalize(path.posix.join(path.posix.dirname(file), target)).replace(/\/$/, '')
    return !files.some(name => name === wanted || name.startsWith(`${wanted}/`))
  })
}

/** Names in backticks in the first column of the table under a heading. */
export function firstColumn(page, heading) {
  const section = page.split(/^## /m).find(part => part.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  )
}
