import { expect, test } from 'vitest'
import { seedOfRun } from '../suites/random.ts'
import { logKills } from './log-kills.ts'
import { native } from './powercut/native.ts'

const seed = seedOfRun()
const KILLS = Number(process.env['ASSAY_KILLS'] ?? 100)
const shim = native('shim')

test(`killed at ${KILLS} changes to its files, a log has all that it acknowledged (seed ${seed})`, async ({ skip }) => {
  if ('reason' in shim) return skip(shim.reason)
  const { kills, acknowledged, anomalies } = await logKills({ shim: shim.path, seed, kills: KILLS })
  console.log(`seed ${seed}: ${kills} kills, ${acknowledged} acknowledged batches looked for`)
  expect(anomalies).toEqual([])
  expect(kills).toBe(KILLS)
}, 600_000)
