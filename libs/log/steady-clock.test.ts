import { silentLogger } from '@assay/std'
import { describe, expect, test } from 'vitest'
import { steadyClock } from './steady-clock.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const START_MS = 1_700_000_000_000

/** Steps of minutes that pass, and of minutes by which the clock is put forward (or back); what is believed after each, in minutes. */
describe.each<[string, readonly (readonly [passed: number, jump: number, believed: number])[]]>([
  [
    'time that passes is believed',
    [
      [1, 0, 1],
      [600, 0, 601],
      [1_000_000, 0, 1_000_601]
    ]
  ],
  [
    'small corrections are followed',
    [
      [1, 5, 6],
      [1, -9, -2],
      [1, 10, 9]
    ]
  ],
  [
    'a jump forward is believed after an hour',
    [
      [1, 600, 1],
      [59, 0, 60],
      [1, 0, 661],
      [1, 0, 662]
    ]
  ],
  [
    'one that is put right before never was',
    [
      [1, 600, 1],
      [30, -600, 31],
      [60, 0, 91]
    ]
  ],
  [
    'also when it is put right not quite',
    [
      [1, 600, 1],
      [30, -595, 36],
      [60, 0, 96]
    ]
  ],
  [
    'in parts, what is left waits on',
    [
      [1, 600, 1],
      [30, -300, 31],
      [29, 0, 60],
      [1, 0, 361]
    ]
  ],
  [
    'two of them count together, from the second on',
    [
      [1, 600, 1],
      [30, 600, 31],
      [59, 0, 90],
      [1, 0, 1291]
    ]
  ],
  [
    'a jump back is followed at once',
    [
      [10, -600, -590],
      [10, 0, -580]
    ]
  ],
  [
    'and forth again',
    [
      [10, -600, -590],
      [10, 600, -580],
      [60, 0, 80]
    ]
  ]
])('%s', (_name, steps) => {
  test(`by ${steps.map(([passed, jump]) => `${passed} and ${jump}`).join(', then ')} minutes`, () => {
    let elapsed = 5
    let wall = START_MS
    const clock = steadyClock({ now: () => wall, after: () => ({ cancel() {} }) }, silentLogger, () => elapsed)
    const believed = steps.map(([passed, jump]) => {
      elapsed += passed * MINUTE_MS
      wall += (passed + jump) * MINUTE_MS
      return (clock.now() - START_MS) / MINUTE_MS
    })
    expect(believed).toEqual(steps.map(([, , minutes]) => minutes))
  })
})

test('what waits is not lost between looks', () => {
  let wall = START_MS
  let elapsed = 0
  const clock = steadyClock({ now: () => wall, after: () => ({ cancel() {} }) }, silentLogger, () => elapsed)
  wall += 24 * HOUR_MS
  expect(clock.now()).toBe(START_MS)
  for (let minute = 0; minute < 59; minute++) {
    wall += MINUTE_MS
    elapsed += MINUTE_MS
    expect(clock.now()).toBe(START_MS + elapsed)
  }
})
