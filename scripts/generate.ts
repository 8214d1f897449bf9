/**
 * Writes what is printed from declarations: docs/reference/*, the picture of the imports, the generated example types.
 * `--check` writes nothing and exits with 1 when a file differs from what would be written.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generatedFiles } from './generated-files.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const stale: string[] = []

for (const { path, text } of await generatedFiles(root)) {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale.push(path)
  if (check) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

for (const path of stale) console.log(`${check ? 'stale' : 'written'}: ${path}`)
if (check && stale.length > 0) {
  console.log('Run: npm run generate')
  process.exit(1)
}
