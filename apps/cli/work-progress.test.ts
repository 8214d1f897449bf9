import { stripVTControlCharacters } from 'node:util'
import { silentLogger } from '@assay/std'
import { expect, test } from 'vitest'
import { replayProgress } from './replay-progress.ts'
import { type ProgressMode, workProgress } from './work-progress.ts'

const MIB = 1 << 20

/** What is written while work reports at these times how many of four MiB are done. */
function written(mode: ProgressMode, isTTY: boolean, reports: readonly (readonly [atMs: number, mebibytes: number])[]): string[] {
  const texts: string[] = []
  let now = 0
  const out = { isTTY, write: (text: string) => texts.push(stripVTControlCharacters(text)) }
  const progress = workProgress('checked', mode, { out, nowMs: () => now })
  for (const [atMs, done] of reports) {
    now = atMs
    progress.report({ done: done * MIB, total: 4 * MIB })
  }
  progress.end()
  return texts
}

const long = [
  [500, 1],
  [1_500, 2],
  [1_550, 3],
  [2_600, 4]
] as const

test.each<[string, ProgressMode, boolean, readonly string[]]>([
  [
    'a bar on a terminal',
    'auto',
    true,
    [`\r${'#'.repeat(15)}${'-'.repeat(15)} 2.0 MiB of 4.0 MiB checked `, `\r${'#'.repeat(30)} 4.0 MiB of 4.0 MiB checked `, '\r']
  ],
  ['nothing where nobody looks', 'auto', false, []],
  ['nothing when it is not wanted', 'none', true, []],
  [
    'a line of JSON each second for programs, the end told once more',
    'json',
    false,
    [2, 4, 4].map(done => `{"progress":"checked","done":${done * MIB},"total":${4 * MIB}}\n`)
  ]
])('%s', (_name, mode, isTTY, texts) => {
  expect(written(mode, isTTY, long)).toEqual(texts)
  expect(written(mode, isTTY, [[900, 4]])).toEqual([])
})

test('a start tells its log each second how far it is, or a terminal', () => {
  let now = 0
  const lines: unknown[] = []
  const texts: string[] = []
  const logger = { ...silentLogger, info: (facts: object, message: string) => void lines.push({ ...facts, message }) }
  for (const isTTY of [false, true]) {
    now = 0
    const out = { isTTY, write: (text: string) => texts.push(stripVTControlCharacters(text)) }
    const progress = replayProgress(logger, { out, nowMs: () => now })
    for (const [atMs, done] of long) {
      progress.report({ done, total: 4, isRebuilding: true })
      now = atMs
    }
    progress.report({ done: 4, total: 4, isRebuilding: true })
    progress.end()
  }
  expect(lines).toEqual([
    { done: 3, total: 4, message: 'batches indexed anew' },
    { done: 4, total: 4, message: 'batches indexed anew' }
  ])
  expect(texts.at(-2)).toMatch(/4 of 4 batches indexed anew/)
})
