import { expect, test } from 'vitest'
import { hostileKinds } from '../../../libs/avro/hostile-schemas.fixture.ts'
import { serve } from '../../served.ts'
import { seedOfRun } from '../../suites/random.ts'
import { hostileRun } from './hostile-run.ts'
import { expectServing, keepSomething } from './still-serving.ts'

const seed = seedOfRun()
/** One of each kind. */
const SCHEMAS = hostileKinds.length
/** A quarter of a second on a quiet machine (see the slow suite); here other tests run beside it. */
const ANSWER_MS_MAX = 5000

test(`${SCHEMAS} hostile schemas are each answered, and nobody else waits for them (seed ${seed})`, async () => {
  const served = await serve({ args: ['--log-level', 'error'] })
  try {
    const kept = await keepSomething(served.http)
    const { faults, answers, p99Ms, slowestMs, delayMs } = await hostileRun({
      served,
      count: SCHEMAS,
      seed,
      answerMsMax: ANSWER_MS_MAX
    })
    console.log(
      `seed ${seed}: ${SCHEMAS} hostile schemas, p99 ${Math.round(p99Ms)} ms, the slowest ${Math.round(slowestMs)} ms; event loop delay p99 ${delayMs.p99.toFixed(1)} ms`
    )
    expect(faults).toEqual([])
    // Some are legal, some are not, and some that are legal do not fit to what is there.
    expect([...answers.keys()].sort()).toEqual([200, 409, 422])
    await expectServing(served, kept)
    expect(served.log()).toBe('')
  } finally {
    await served.stop()
  }
}, 120_000)
