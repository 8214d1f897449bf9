import { expect, test } from 'vitest'
import { serve } from '../../served.ts'
import { seedOfRun } from '../../suites/random.ts'
import { routesOf } from './routes.ts'
import { slowSenders } from './slow-senders.ts'
import { expectServing, keepSomething } from './still-serving.ts'
import { storm } from './storm.ts'

const seed = seedOfRun()
const REQUESTS = Number(process.env['ASSAY_REQUESTS'] ?? 100_000)
const SLOW_SENDERS = 500
const RSS_GROWTH_MIB_MAX = 256
/** Once the heap has found its size, more of the same must not add to it. */
const RSS_CREEP_MIB_MAX = 64
/** Thirty seconds for a request to arrive whole, and as long until the next look at those that have not. */
const CUT_OFF_MS_MAX = 90_000

test(`${REQUESTS} malformed requests are each refused, and slow ones cut off (seed ${seed})`, async () => {
  const served = await serve({ args: ['--log-level', 'error'] })
  try {
    const routes = await routesOf(served.http)
    const kept = await keepSomething(served.http)
    const slow = slowSenders(new URL(served.http).host, SLOW_SENDERS)
    const first = await storm({ served, routes, count: REQUESTS / 2, seed })
    const second = await storm({ served, routes, count: REQUESTS / 2, seed: seed + 1 })
    for (const { seconds, slowestMs, rssMiB } of [first, second]) {
      console.log(
        `seed ${seed}: ${REQUESTS / 2} malformed requests in ${seconds.toFixed(1)} s, the slowest ${Math.round(slowestMs)} ms, RSS ${Math.round(rssMiB.before)} -> ${Math.round(rssMiB.largest)} MiB`
      )
    }
    expect([...first.faults, ...second.faults]).toEqual([])
    expect(first.rssMiB.largest - first.rssMiB.before).not.toBeGreaterThan(RSS_GROWTH_MIB_MAX)
    expect(second.rssMiB.largest - first.rssMiB.largest).not.toBeGreaterThan(RSS_CREEP_MIB_MAX)
    const tooLate = new Promise<string>(resolve =>
      setTimeout(resolve, CUT_OFF_MS_MAX, `${slow.openCount()} slow senders still open`)
    )
    expect(await Promise.race([slow.allClosed, tooLate])).toBeUndefined()
    slow.close()
    await expectServing(served, kept)
    expect(served.log()).toBe('')
  } finally {
    await served.stop()
  }
})
