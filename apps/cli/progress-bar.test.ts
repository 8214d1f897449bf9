import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { progressBar } from './progress-bar.ts'

/** What a bar writes for steps at these times. */
function written(times: readonly number[], { isTTY }: { readonly isTTY: boolean }): string[] {
  const texts: string[] = []
  let now = 0
  const out = { isTTY, write: (text: string) => texts.push(stripVTControlCharacters(text)) }
  const bar = progressBar('schemas registered', times.length, { out, nowMs: () => now })
  for (const time of times) {
    now = time
    bar.step()
  }
  bar.end()
  return texts
}

test('what is done within a second shows nothing', () => {
  expect(written([1, 500, 999], { isTTY: true })).toEqual([])
})

test('after a second it is drawn, at most ten times in a second, and taken away in the end', () => {
  expect(written([900, 1_000, 1_050, 1_100], { isTTY: true })).toEqual([
    `\r${'#'.repeat(15)}${'-'.repeat(15)} 2 of 4 schemas registered `,
    `\r${'#'.repeat(30)} 4 of 4 schemas registered `,
    '\r'
  ])
})

test('where nobody looks nothing is written', () => {
  expect(written([1_000, 2_000], { isTTY: false })).toEqual([])
})
