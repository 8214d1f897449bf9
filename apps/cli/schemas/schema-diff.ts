/** Two schemas compared line by line, as people read them. */
import { diff } from 'node:util'
import pc from 'picocolors'
import type { Format } from '../options.ts'
import { line, printFacts, say } from '../print.ts'

export interface NamedText {
  readonly name: string
  readonly text: string
}

/** Lines around a change that are shown with it. */
const CONTEXT = 3

/** True when they differ. */
export function printDifference(before: NamedText, after: NamedText, format: Format): boolean {
  const lines = diff(before.text.split('\n'), after.text.split('\n')).map(([sign, text]) => ({
    // -1 stands for what only the second has.
    sign: sign === 0 ? ' ' : sign === -1 ? '+' : '-',
    text: String(text)
  }))
  const differs = lines.some(({ sign }) => sign !== ' ')
  if (format !== 'table') {
    const texts = (wanted: string): string[] => lines.filter(({ sign }) => sign === wanted).map(({ text }) => text.trim())
    printFacts({ before: before.name, after: after.name, differs, removed: texts('-'), added: texts('+') }, format)
    return differs
  }
  if (!differs) {
    say(`${before.name} and ${after.name} are the same.`)
    return false
  }
  line(pc.bold(`--- ${before.name}`))
  line(pc.bold(`+++ ${after.name}`))
  const near = (index: number): boolean =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ sign }) => sign !== ' ')
  let passedOver = false
  for (const [index, { sign, text }] of lines.entries()) {
    if (!near(index)) {
      passedOver = true
      continue
    }
    if (passedOver) line(pc.dim('...'))
    passedOver = false
    const paint = sign === '+' ? pc.green : sign === '-' ? pc.red : (same: string) => same
    line(paint(`${sign} ${text}`))
  }
  return true
}
