import { expect, test } from 'vitest'
import { seedOfRun } from '../suites/random.ts'
import { registryKillLoop } from './registry-kill-loop.ts'

const seed = seedOfRun()
const KILLS = 15
/** Not a measure of speed: a server that takes this long hangs. */
const READY_MS_MAX = 15_000

test(`kill -9 while the registry is changed, ${KILLS} times: no ID changes, nothing acknowledged is lost (seed ${seed})`, async () => {
  const { acknowledged, unanswered, schemaIds, journalRecords, readyMs, anomalies } = await registryKillLoop({
    kills: KILLS,
    seed
  })
  const sorted = [...readyMs].sort((a, b) => a - b)
  const times = `ready again in ${Math.round(sorted[KILLS >> 1]!)} ms (median), ${Math.round(sorted.at(-1)!)} ms (longest)`
  console.log(
    `seed ${seed}: ${KILLS} kills, ${acknowledged} changes acknowledged, ${unanswered} unanswered, ${schemaIds} schema IDs, ${journalRecords} records; ${times}`
  )
  expect(anomalies.slice(0, 20)).toEqual([])
  expect(acknowledged).toBeGreaterThanOrEqual(KILLS * 20)
  expect(schemaIds).toBeGreaterThan(KILLS)
  expect(unanswered).toBeGreaterThan(0)
  // One start may meet a machine that does something else; most do not.
  expect(sorted[KILLS >> 1]).toBeLessThan(READY_MS_MAX)
}, 120_000)
