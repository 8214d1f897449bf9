/** Figures as a table on a terminal. */

export type Cells = Readonly<Record<string, string | number>>

/** Columns in the order of the first row's keys; numbers to the right. */
export function render(rows: readonly Cells[]): string {
  const columns = Object.keys(rows[0] ?? {})
  const texts = rows.map(row => columns.map(column => String(row[column] ?? '-')))
  const widths = columns.map((column, at) => Math.max(column.length, ...texts.map(row => row[at]!.length)))
  const isNumber = columns.map(column => rows.some(row => typeof row[column] === 'number'))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (isNumber[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd()
  return [line(columns), line(widths.map(width => '-'.repeat(width))), ...texts.map(line)].join('\n')
}

/** The value below which a share of all values lies (nearest rank); 0 for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}

export function geometricMean(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

export const round = (value: number, digits = 0): number => Number(value.toFixed(digits))
