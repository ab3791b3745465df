// `npm run lint`: biome's rules, then the law of the house (lint/law.mjs). `--tower` prints the floors for ARCHITECTURE.md.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { readLaw, towerText, violations } from '../lint/law.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
if (process.argv.includes('--tower')) {
  console.log(towerText(readLaw(root)))
} else {
  const biome = path.join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const { status } = spawnSync(process.execPath, [biome, 'check', '.'], { cwd: root, stdio: 'inherit' })
  const found = violations(root)
  for (const { file, rule, message } of found) console.error(`${file}: ${message} (${rule})`)
  if (found.length > 0) console.error(`${found.length} violations of the law of the house (lint/floors.json)`)
  process.exitCode = status === 0 && found.length === 0 ? 0 : 1
}
