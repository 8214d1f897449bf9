import { expect, test } from 'vitest'
import { seedOfRun } from '../suites/random.ts'
import { registryKillLoop } from './registry-kill-loop.ts'

const seed = seedOfRun()
const KILLS = Number(process.env['ASSAY_KILLS'] ?? 200)

test(`kill -9 while the registry is changed, ${KILLS} times (seed ${seed})`, async () => {
  const { acknowledged, unanswered, schemaIds, anomalies } = await registryKillLoop({ kills: KILLS, seed })
  console.log(
    `seed ${seed}: ${KILLS} kills, ${acknowledged} changes acknowledged, ${unanswered} unanswered, ${schemaIds} schema IDs`
  )
  expect(anomalies.slice(0, 20)).toEqual([])
  expect(unanswered).toBeGreaterThan(KILLS / 2)
}, 3_600_000)
