import { expect, test } from 'vitest'
import { serve } from '../../served.ts'
import { seedOfRun } from '../../suites/random.ts'
import { hostileRun } from './hostile-run.ts'
import { expectServing, keepSomething } from './still-serving.ts'

const seed = seedOfRun()
const SCHEMAS = Number(process.env['ASSAY_SCHEMAS'] ?? 1000)
const ANSWER_MS_MAX = 250
const DELAY_P99_MS_MAX = 50

test(`${SCHEMAS} hostile schemas are each answered in ${ANSWER_MS_MAX} ms (seed ${seed})`, async () => {
  const served = await serve({ args: ['--log-level', 'error'] })
  try {
    const kept = await keepSomething(served.http)
    const { requests, faults, answers, p99Ms, slowestMs, delayMs } = await hostileRun({
      served,
      count: SCHEMAS,
      seed,
      answerMsMax: ANSWER_MS_MAX
    })
    console.log(
      `seed ${seed}: ${requests} requests with ${SCHEMAS} hostile schemas: ${[...answers].map(([status, count]) => `${count} x ${status}`).join(', ')}; p99 ${Math.round(p99Ms)} ms, the slowest ${Math.round(slowestMs)} ms; event loop delay p99 ${delayMs.p99.toFixed(1)} ms, longest ${delayMs.longest.toFixed(0)} ms`
    )
    expect(faults).toEqual([])
    expect(delayMs.p99).toBeLessThan(DELAY_P99_MS_MAX)
    await expectServing(served, kept)
    expect(served.log()).toBe('')
  } finally {
    await served.stop()
  }
})
