import { expect, test } from 'vitest'
import { render } from '../bench/table.ts'
import { measureConnections } from './connections.ts'

const IDLE_BYTES_EACH_MAX = 20_000
/** Below this a difference is the timer's, not the server's. */
const GRAIN_MS = 1

test('5,000 idle connections cost little, and 2,000 slow ones do not hold up the good', async () => {
  const figures = await measureConnections({ idle: 5000, slow: 2000, measureMs: 2000 })
  const { idleBytesEach, goodP50Ms, goodP99Ms, lost } = figures
  console.log(
    render([
      { what: 'bytes of each of 5,000 idle connections', figure: idleBytesEach.toFixed(0), goal: String(IDLE_BYTES_EACH_MAX) },
      {
        what: 'good clients p50 / p99 alone, ms',
        figure: `${goodP50Ms.alone.toFixed(2)} / ${goodP99Ms.alone.toFixed(2)}`,
        goal: ''
      },
      {
        what: 'good clients p50 / p99 beside 2,000 slow senders, ms',
        figure: `${goodP50Ms.besideSlow.toFixed(2)} / ${goodP99Ms.besideSlow.toFixed(2)}`,
        goal: 'p99 x 2'
      },
      { what: 'connections lost', figure: String(lost), goal: '0' }
    ])
  )
  expect(lost).toBe(0)
  expect(idleBytesEach).toBeLessThan(IDLE_BYTES_EACH_MAX)
  expect(goodP99Ms.besideSlow).toBeLessThan(2 * goodP99Ms.alone + GRAIN_MS)
})
