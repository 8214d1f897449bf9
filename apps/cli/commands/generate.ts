/** `assay generate`: TypeScript types and codecs from schema files. */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateTypeScript, staleFiles } from '@assay/codegen'
import { Command, Option } from 'commander'
import { exitCodes } from '../exit.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printRows, say } from '../print.ts'
import { readSchemaFiles } from '../schemas/schema-folder.ts'

interface GenerateCommandOptions {
  readonly out: string
  readonly check: boolean
  readonly long: 'bigint' | 'number'
  readonly time: 'temporal' | 'date' | 'raw'
  readonly runtime: string
}

export function generateCommand(): Command {
  const command = new Command('generate')
    .description('generate TypeScript types and codecs; with --check exits with 100 when they are stale')
    .argument('[paths...]', 'files, or folders of <topic>/value.avsc (default: the schemas folder)')
    .option('--out <folder>', 'where the files go', 'src/generated')
    .option('--check', 'write nothing, say what would change', false)
    .addOption(new Option('--long <type>', 'TypeScript type of Avro longs').choices(['bigint', 'number']).default('bigint'))
    .addOption(new Option('--time <types>', 'types of dates and times').choices(['temporal', 'date', 'raw']).default('temporal'))
    .option('--runtime <package>', 'package that the files import', '@assay/client')
  return withSettings(command, 'schemas').action((paths: string[], { out, check, ...options }: GenerateCommandOptions) => {
    const { schemas } = configOf(command)
    const inputs = readSchemaFiles(paths.length > 0 ? paths : [schemas])
    const generated = generateTypeScript(inputs, options)
    const stale = staleFiles(generated, existingFiles(out))
    const rows = [
      ...stale.missing.map(path => ({ file: join(out, path), change: 'new' })),
      ...stale.changed.map(path => ({ file: join(out, path), change: 'changed' })),
      ...stale.extra.map(path => ({ file: join(out, path), change: 'removed' }))
    ]
    printRows(rows, ['change', 'file'], formatOf(command))
    if (check) {
      if (rows.length > 0) process.exitCode = exitCodes.findings
      say(rows.length > 0 ? `${rows.length} files are stale; run assay generate` : `${generated.length} files are up to date`)
      return
    }
    const wanted = new Set([...stale.missing, ...stale.changed])
    for (const { path, text } of generated) if (wanted.has(path)) write(join(out, path), text)
    for (const path of stale.extra) rmSync(join(out, path))
    say(`${generated.length} files in ${out}, ${rows.length} of them changed`)
  })
}

function existingFiles(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map()
  const paths = globSync('**/*.ts', { cwd: folder }).map(path => path.replaceAll('\\', '/'))
  return new Map(paths.map(path => [path, readFileSync(join(folder, path), 'utf8')]))
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
