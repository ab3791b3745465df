// The law of the house that no linter knows: `npm run lint` and test/architecture.test.ts run it. Its one list is floors.json.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { cycleViolations } from './cycles.mjs'

const SOURCE = /\.(ts|mts)$/
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"\n]*?(?:\{[^}]*\}[^'"\n]*?)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/g
/** Names under which anything may be put, and a barrel. */
const DRAWER = /(^|[/-])(utils?|helpers?|common|misc)\b|\/index\.ts$/

/** A statement that writes a field of an object other than `this`. */
const OUTSIDE_WRITE =
  /^\s*(?!this\b)\w+(?:[!?]?\.\w+)+[!?]?\s*(?:=(?![=>])|[-+|&?]{1,2}=|\+\+|--)|^\s*this\.#?\w+(?:[!?]?\.#?\w+)+[!?]?\s*(?:=(?![=>])|[-+|&?]{1,2}=|\+\+|--)/

/** The law, as floors.json states it. */
export const readLaw = root => JSON.parse(readFileSync(path.join(root, 'lint', 'floors.json'), 'utf8'))

/** Source files below a folder, as paths from the root with forward slashes; none where there is no such folder. */
function sources(root, folder) {
  let entries
  try {
    entries = readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
  } catch {
    return []
  }
  return entries
    .filter(entry => entry.isFile() && SOURCE.test(entry.name))
    .map(entry => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)).replaceAll(path.sep, '/'))
    .filter(file => !/(^|\/)(dist|node_modules)\//.test(file))
    .sort()
}

/** Where an import leads: a path from the root, or the floor of one of our packages; undefined for anybody else's package. */
function targetOf(file, specifier) {
  if (specifier.startsWith('.')) return path.posix.join(path.posix.dirname(file), specifier)
  if (specifier === 'spimpl-runtime' || specifier.startsWith('spimpl-runtime/')) return `src/runtime/${specifier}`
  return undefined
}

/** Every violation in the tree below `root`: the file, the rule and a sentence that says what to do. */
export function violations(root, law = readLaw(root)) {
  const found = []
  /** Each file of a floor, and what it imports of the house. */
  const imports = new Map()
  const report = (file, rule, message) => found.push({ file, rule, message })
  const names = [...law.floors.map(floor => floor.folder), ...law.aboveAll]
  const top = law.floors.length
  const cores = new Set(law.floors.filter(floor => floor.isCore).map(floor => floor.folder))
  /** -1 for files outside the house. */
  const levelOf = file =>
    Math.min(
      names.findIndex(name => file.startsWith(`${name}/`)),
      top,
    )
  for (const folder of names) {
    const rooms = new Map()
    for (const file of sources(root, folder)) {
      const text = readFileSync(path.join(root, file), 'utf8')
      const level = levelOf(file)
      const targets = []
      if (level < top) imports.set(file, targets)
      for (const [, from, dynamic] of text.matchAll(IMPORT)) {
        const specifier = from ?? dynamic
        const target = targetOf(file, specifier)
        if (specifier.startsWith('spimpl-runtime/internal/') && level < top) {
          report(file, 'door', `imports ${specifier}: only tests may pass by the doors of a package`)
        }
        if (target === undefined || levelOf(target) < 0) continue
        targets.push(target)
        if (levelOf(target) > level) report(file, 'floor', `imports ${target}, which is above: imports point down only`)
      }
      if (level >= top) continue
      const lines = text.split('\n')
      const most = folder === 'actors' ? law.maxLinesOfActor : law.maxLines
      if (lines.length - 1 > most) report(file, 'size', `has ${lines.length - 1} lines: which noun wants its own file?`)
      if (DRAWER.test(file)) report(file, 'drawer', 'is named after a drawer: name its noun')
      for (const [index, line] of lines.entries()) {
        if (cores.has(folder) && OUTSIDE_WRITE.test(line) && law.ownRecords[file] === undefined) {
          const own = 'give it a verb, or name its records in ownRecords'
          report(file, 'owner', `line ${index + 1} writes a field of another object: ${own}`)
        }
        if (line.length > law.maxColumnsOfComment && /^ *(\/\/|\*|\/\*\*)/.test(line)) {
          report(file, 'columns', `line ${index + 1} is a comment of ${line.length} columns`)
        }
      }
      const room = path.posix.dirname(file)
      rooms.set(room, (rooms.get(room) ?? 0) + 1)
    }
    for (const [room, files] of rooms) {
      if (files > law.maxFilesInRoom)
        report(room, 'room', `holds ${files} files side by side: which nouns are its rooms?`)
    }
  }
  return [...found, ...cycleViolations(imports, law.cycles), ...bareDoors(root, law), ...bareCores(root, law)]
}

/** A floor of cores has the files that `files` of floors.json names, and a messages.ts beside them or in its rooms. */
function bareCores(root, law) {
  const found = []
  for (const { folder, files } of law.floors) {
    if (files === undefined) continue
    const present = sources(root, folder)
    const missing = files.filter(name => !present.includes(`${folder}/${name}`))
    if (!present.some(file => file.endsWith('/messages.ts'))) missing.push('messages.ts')
    for (const name of missing) {
      found.push({ file: folder, rule: 'core', message: `lacks ${name}: each floor of cores has the same files` })
    }
  }
  return found
}

/** A floor with rooms lists them in its door, one line each. */
function bareDoors(root, law) {
  const found = []
  for (const { folder, door } of law.floors) {
    const rooms = new Set(
      sources(root, folder)
        .map(file => path.posix.relative(folder, file).split('/'))
        .filter(parts => parts.length > 1)
        .map(([room]) => room),
    )
    if (rooms.size === 0 || door === undefined) continue
    const file = `${folder}/${door}`
    const comments =
      readFileSync(path.join(root, file), 'utf8')
        .match(/\/\*\*[\s\S]*?\*\//g)
        ?.join('\n') ?? ''
    for (const room of rooms) {
      if (!new RegExp(`^ \\* +${room} {2,}\\S`, 'm').test(comments)) {
        found.push({
          file,
          rule: 'map',
          message: `does not list its room ${room} (a line: name, two spaces, its content)`,
        })
      }
    }
  }
  return found
}

/** The floors from the top down, as ARCHITECTURE.md shows them. */
export function towerText(law) {
  const width = Math.max(...law.floors.map(floor => floor.folder.length)) + 3
  return law.floors
    .toReversed()
    .map(({ folder, holds }) => `    ${`${folder}/`.padEnd(width)}${holds}`)
    .join('\n')
}
