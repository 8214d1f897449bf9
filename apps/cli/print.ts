/** Results on stdout, as a table for people or as JSON or YAML for programs; everything else goes to stderr. */
import { yaml } from '@assay/config'
import pc from 'picocolors'
import type { Format } from './options.ts'

export type Row = Readonly<Record<string, unknown>>

/** A list of rows. The columns of a table are the keys named, in their order; JSON and YAML hold every key. */
export function printRows(rows: readonly Row[], columns: readonly string[], format: Format): void {
  if (format !== 'table') line(serialized(rows, format))
  else if (rows.length > 0) line(table(rows, columns))
}

/** One thing: a table of keys and values. */
export function printFacts(facts: Row, format: Format): void {
  if (format !== 'table') {
    line(serialized(facts, format))
    return
  }
  const width = Math.max(...Object.keys(facts).map(key => key.length))
  for (const [key, value] of Object.entries(facts)) line(`${pc.dim(key.padEnd(width))}  ${cell(value)}`)
}

/** One entry of a stream: a JSON line, a YAML document, or the text given for a table. */
export function printEntry(entry: Row, text: string, format: Format): void {
  if (format === 'json') line(JSON.stringify(entry))
  else line(format === 'yaml' ? `---\n${serialized(entry, format)}` : text)
}

export function table(rows: readonly Row[], columns: readonly string[]): string {
  const cells = rows.map(row => columns.map(column => cell(row[column])))
  const widths = columns.map((column, index) => Math.max(column.length, ...cells.map(row => row[index]!.length)))
  const render = (row: readonly string[]): string =>
    row
      .map((text, index) => text.padEnd(widths[index]!))
      .join('  ')
      .trimEnd()
  return [pc.dim(render(columns.map(column => column.toUpperCase()))), ...cells.map(render)].join('\n')
}

export function line(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** A word to the person at the terminal, out of the way of what programs read. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

const serialized = (value: unknown, format: 'json' | 'yaml'): string =>
  format === 'json' ? JSON.stringify(value, null, 2) : yaml().stringify(value).trimEnd()

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'object') return JSON.stringify(value)
  // A control character from a topic or a schema must not reach the terminal as one.
  return String(value).replace(/[\p{Cc}]/gu, character => JSON.stringify(character).slice(1, -1))
}
