import { expect, test } from 'vitest'
import { seedOfRun } from '../suites/random.ts'
import { powerCuts } from './power-cuts.ts'
import { native } from './powercut/native.ts'

const seed = seedOfRun()
const STATES = Number(process.env['ASSAY_STATES'] ?? 100_000)
const shim = native('shim')

test(`power cuts in ${STATES} ways lose nothing that was acknowledged (seed ${seed})`, async ({ skip }) => {
  if ('reason' in shim) return skip(shim.reason)
  const { states, runs, acknowledged, anomalies } = await powerCuts({ shim: shim.path, seed, states: STATES, statesPerRun: 200 })
  console.log(`seed ${seed}: ${states} crash states of ${runs} runs, ${acknowledged} acknowledged batches looked for`)
  expect(anomalies).toEqual([])
  expect(states).toBe(STATES)
}, 18_000_000)
