import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { seedOfRun } from '../../suites/random.ts'
import { malformedKinds, malformedRequest } from './malformed.ts'
import { type RouteFacts, routesOf } from './routes.ts'
import { slowSenders } from './slow-senders.ts'
import { expectServing, keepSomething } from './still-serving.ts'
import { storm } from './storm.ts'

const REQUESTS = 5000
const SLOW_SENDERS = 100
const RSS_GROWTH_MIB_MAX = 256

describe('malformed requests', () => {
  let served: Served
  let routes: readonly RouteFacts[]
  beforeAll(async () => {
    served = await serve({ args: ['--log-level', 'error'] })
    routes = await routesOf(served.http)
  })
  afterAll(() => served.stop())

  const seed = seedOfRun()
  test(`are each refused, ${REQUESTS} of them (seed ${seed})`, async () => {
    const kept = await keepSomething(served.http)
    const slow = slowSenders(new URL(served.http).host, SLOW_SENDERS)
    const { faults, rssMiB, answers, slowestMs, seconds } = await storm({ served, routes, count: REQUESTS, seed })
    slow.close()
    console.log(
      `seed ${seed}: ${REQUESTS} malformed requests in ${seconds.toFixed(1)} s, the slowest ${Math.round(slowestMs)} ms, RSS ${Math.round(rssMiB.before)} -> ${Math.round(rssMiB.largest)} MiB`
    )
    expect(faults).toEqual([])
    expect([...answers.keys()].sort()).toEqual(
      expect.arrayContaining(['400', '403', '404', '405', '406', '413', '415', '417', '422', '431', 'cut off'])
    )
    expect(rssMiB.largest - rssMiB.before).not.toBeGreaterThan(RSS_GROWTH_MIB_MAX)
    await expectServing(served, kept)
    expect(served.log()).toBe('')
  })

  test('come out the same for the same seed, and otherwise for another', () => {
    const some = (seed: number) => malformedKinds.map((_, index) => malformedRequest(seed, index, routes))
    expect(some(7)).toEqual(some(7))
    expect(some(7)).not.toEqual(some(8))
  })
})
