/** Figures as a table on a terminal, and the few sums behind them. */

export type Cells = Readonly<Record<string, string>>

const NUMERIC = /^-?[\d.]*$/

/** Columns in the order of the first row's keys; a column of numbers, blanks and dashes stands to the right. */
export function render(rows: readonly Cells[]): string {
  const columns = Object.keys(rows[0] ?? {})
  const texts = rows.map(row => columns.map(column => row[column] ?? '-'))
  const widths = columns.map((column, at) => Math.max(column.length, ...texts.map(row => row[at]!.length)))
  const isNumeric = columns.map((_, at) => texts.every(row => NUMERIC.test(row[at]!)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (isNumeric[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd()
  return [line(columns), line(widths.map(width => '-'.repeat(width))), ...texts.map(line)].join('\n')
}

/** The value below which a share of all values lies (nearest rank); 0 for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.min(sorted.length, Math.ceil(sorted.length * share)) - 1)] ?? 0
}

/** `ours` as a multiple of `theirs`; undefined when there is nothing to compare with. */
export const ratio = (ours: number, theirs: number): number | undefined => (theirs > 0 ? ours / theirs : undefined)

export function geometricMean(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

export const round = (value: number, digits = 0): number => Number(value.toFixed(digits))
