import { expect, test } from 'vitest'
import { killLoop } from './kill-loop.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)
const KILLS = Number(process.env['ASSAY_KILLS'] ?? 2000)

test(`kill -9 while producing, ${KILLS} times (seed ${seed})`, async () => {
  const { anomalies, acknowledged } = await killLoop({ kills: KILLS, seed })
  console.log(`seed ${seed}: ${KILLS} kills, ${acknowledged} records acknowledged`)
  expect(anomalies.slice(0, 20)).toEqual([])
}, 3_600_000)
