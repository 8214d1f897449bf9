import { expect, test } from 'vitest'
import { seedOfRun } from '../suites/random.ts'
import { flips } from './flips.ts'

const seed = seedOfRun()
const FLIPS = Number(process.env['ASSAY_FLIPS'] ?? 300)

test(`one flipped byte, ${FLIPS} times in every kind of file: harmless or told, never silent (seed ${seed})`, async () => {
  const { outcomes, anomalies } = await flips({ count: FLIPS, seed })
  console.log(`seed ${seed}, ${FLIPS} flips`)
  console.table(outcomes)
  expect(anomalies.slice(0, 10)).toEqual([])
}, 600_000)
