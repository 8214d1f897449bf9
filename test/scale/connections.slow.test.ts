import { expect, test } from 'vitest'
import { render } from '../bench/table.ts'
import { IDLE_BYTES_EACH_MAX, measureConnections, rowsOf } from './connections.ts'

/** Below this a difference is the timer's, not the server's. */
const GRAIN_MS = 1

test('5,000 idle connections cost little, and 2,000 slow ones do not hold up the good', async () => {
  const figures = await measureConnections({ idle: 5000, slow: 2000, measureMs: 2000 })
  const { idleBytesEach, goodP99Ms, lost } = figures
  console.log(render(rowsOf(figures)))
  expect(lost).toBe(0)
  expect(idleBytesEach).toBeLessThan(IDLE_BYTES_EACH_MAX)
  expect(goodP99Ms.besideSlow).toBeLessThan(2 * goodP99Ms.alone + GRAIN_MS)
})
