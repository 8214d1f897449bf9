import { expect, test } from 'vitest'
import { type Found, recordAnomalies, type Sent } from './history.ts'

const partition = 'counted-0'
const sent = (number: number, offset?: number): Sent => ({
  producer: 'p',
  partition,
  number,
  ...(offset === undefined ? {} : { offset })
})
const found = (offset: number, number: number, producer = 'p'): Found => ({ partition, offset, producer, number })
const elsewhere = (offset: number, number: number): Found => ({ ...found(offset, number), partition: 'counted-1' })
const idempotent = new Set(['p'])

test.each<[string, Sent[], Found[], RegExp[]]>([
  ['all is well', [sent(0, 0), sent(1, 1)], [found(0, 0), found(1, 1)], []],
  ['an unanswered record may be there', [sent(0, 0), sent(1)], [found(0, 0), found(1, 1)], []],
  ['or not', [sent(0, 0), sent(1)], [found(0, 0)], []],
  ['an acknowledged one is gone', [sent(0, 0), sent(1, 1)], [found(0, 0)], [/^lost: record 1 /]],
  ['its partition is gone', [sent(0, 0)], [], [/^lost: record 0 /]],
  ['it is in another partition', [sent(0, 0)], [elsewhere(0, 0)], [/^lost: record 0 /, /^invented: .* counted-1/]],
  ['another is in its place', [sent(0, 0), sent(1)], [found(0, 1)], [/^replaced/, /^skipped/]],
  ['one is there twice', [sent(0, 0)], [found(0, 0), found(1, 0)], [/^doubled/]],
  ['two have changed places', [sent(0), sent(1)], [found(0, 1), found(1, 0)], [/^skipped/, /^doubled or reordered/]],
  ['one was left out', [sent(0, 0), sent(1), sent(2, 1)], [found(0, 0), found(1, 2)], [/^skipped: record 2 /]],
  ['an offset is missing', [sent(0), sent(1)], [found(0, 0), found(2, 1)], [/^gap: counted-0 has offset 2 as its record 1/]],
  ['the first offset is missing', [sent(0)], [found(1, 0)], [/^gap: counted-0 has offset 1 as its record 0/]],
  ['one was never sent', [sent(0)], [found(0, 0), found(1, 1)], [/^invented/]],
  ['a producer without sequences may double', [{ ...sent(0, 0), producer: 'q' }], [found(0, 0, 'q'), found(1, 0, 'q')], []],
  ['but may not lose', [{ ...sent(0, 1), producer: 'q' }], [found(0, 0, 'q')], [/^lost: record 0 of q /]]
])('%s', (_name, history, log, anomalies) => {
  const said = recordAnomalies({ sent: history, found: log, idempotent })
  // Each anomaly is named, and none besides.
  expect(said.length, said.join('\n')).toBe(anomalies.length)
  for (const [index, pattern] of anomalies.entries()) expect(said[index]).toMatch(pattern)
})
