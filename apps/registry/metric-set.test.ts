import { expect, test } from 'vitest'
import { metricSet } from './metric-set.ts'

test('a counter counts by its labels, whatever they hold', () => {
  const set = metricSet()
  const asked = set.counter({ name: 'asked_total', help: 'Back\\slash and\nline.', labelNames: ['method', 'route'] })
  asked('GET', '/a')
  asked('GET', '"b"\\\n')
  asked('GET', '/a')
  expect(set.text()).toBe(
    '# HELP asked_total Back\\\\slash and\\nline.\n' +
      '# TYPE asked_total counter\n' +
      'asked_total{method="GET",route="/a"} 2\n' +
      'asked_total{method="GET",route="\\"b\\"\\\\\\n"} 1\n'
  )
})

test('before anything was counted there is a zero where there are no labels, and nothing where there are', () => {
  const set = metricSet()
  set.counter({ name: 'a_total', help: 'A.' })
  set.counter({ name: 'b_total', help: 'B.', labelNames: ['x'] })
  expect(set.text()).toBe('# HELP a_total A.\n# TYPE a_total counter\na_total 0\n\n# HELP b_total B.\n# TYPE b_total counter\n')
})

test('a gauge is read when it is printed', () => {
  const set = metricSet()
  let value = 1
  set.gauge({ name: 'a', help: 'A.', read: () => value })
  set.gauge({ name: 'b', help: 'B.', labelNames: ['q'], read: () => [{ labels: ['0.5'], value: value / 4 }] })
  expect(set.text()).toContain('\na 1\n')
  value = 2
  expect(set.text()).toContain('\na 2\n')
  expect(set.text()).toContain('\nb{q="0.5"} 0.5\n')
})

test('a bucket of a histogram holds its bound and all that is below', () => {
  const set = metricSet()
  const took = set.histogram({ name: 'took', help: 'Took.', labelNames: ['m'], bounds: [0.1, 1] })
  for (const value of [0.1, 0.5, 5]) took(value, 'x')
  expect(set.text().split('\n').slice(2, 7)).toEqual([
    'took_bucket{le="0.1",m="x"} 1',
    'took_bucket{le="1",m="x"} 2',
    'took_bucket{le="+Inf",m="x"} 3',
    'took_sum{m="x"} 5.6',
    'took_count{m="x"} 3'
  ])
})
