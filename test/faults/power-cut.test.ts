import { expect, test } from 'vitest'
import { seedOfRun } from '../suites/random.ts'
import { powerCuts } from './power-cuts.ts'
import { native } from './powercut/native.ts'

const seed = seedOfRun()
/** A state takes 60 ms of CPU; other states in each run, for the seed is another. The slow suite looks at 100,000. */
const STATES = Number(process.env['ASSAY_STATES'] ?? 3000)
const shim = native('shim')

test(`power cuts in ${STATES} ways lose nothing that was acknowledged (seed ${seed})`, async ({ skip }) => {
  if ('reason' in shim) return skip(shim.reason)
  const { states, runs, acknowledged, anomalies } = await powerCuts({ shim: shim.path, seed, states: STATES, statesPerRun: 300 })
  console.log(`seed ${seed}: ${states} crash states of ${runs} runs, ${acknowledged} acknowledged batches looked for`)
  expect(anomalies).toEqual([])
  expect(states).toBe(STATES)
}, 600_000)

test('a log that acknowledges before it syncs is found to lose what it acknowledged', async ({ skip }) => {
  if ('reason' in shim) return skip(shim.reason)
  const { anomalies } = await powerCuts({ shim: shim.path, seed: 1, states: 60, statesPerRun: 60, flush: 'never' })
  expect(anomalies.filter(text => text.includes('lost: batch'))).not.toEqual([])
}, 60_000)
