import { expect, test } from 'vitest'
import { anomaliesOf, type Found, type Sent } from './history.ts'

const sent = (number: number, offset?: number): Sent => ({
  producer: 'p',
  partition: 0,
  number,
  ...(offset === undefined ? {} : { offset })
})
const found = (offset: number, number: number, producer = 'p'): Found => ({ partition: 0, offset, producer, number })
const idempotent = new Set(['p'])

test.each<[string, Sent[], Found[], RegExp[]]>([
  ['all is well', [sent(0, 0), sent(1, 1)], [found(0, 0), found(1, 1)], []],
  ['an unanswered record may be there', [sent(0, 0), sent(1)], [found(0, 0), found(1, 1)], []],
  ['or not', [sent(0, 0), sent(1)], [found(0, 0)], []],
  ['an acknowledged one is gone', [sent(0, 0), sent(1, 1)], [found(0, 0)], [/^lost: record 1 /]],
  ['another is in its place', [sent(0, 0), sent(1)], [found(0, 1)], [/^replaced/, /^skipped/]],
  ['one is there twice', [sent(0, 0)], [found(0, 0), found(1, 0)], [/^doubled/]],
  ['two have changed places', [sent(0), sent(1)], [found(0, 1), found(1, 0)], [/^skipped/, /^doubled or reordered/]],
  ['an offset is missing', [sent(0), sent(1)], [found(0, 0), found(2, 1)], [/^gap/]],
  ['one was never sent', [sent(0)], [found(0, 0), found(1, 1)], [/^invented/]],
  ['a producer without sequences may double', [{ ...sent(0, 0), producer: 'q' }], [found(0, 0, 'q'), found(1, 0, 'q')], []]
])('%s', (_name, history, log, anomalies) => {
  const said = anomaliesOf({ sent: history, found: log, idempotent })
  expect(said.length).toBe(anomalies.length)
  for (const [index, pattern] of anomalies.entries()) expect(said[index]).toMatch(pattern)
})
