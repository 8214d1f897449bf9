import { expect, test } from 'vitest'
import { transactionLoop } from './transaction-loop.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)

test(`5,000 transactions and 1,000 fencing rounds under kills, with ends that come late and twice (seed ${seed})`, async () => {
  const report = await transactionLoop({ transactions: 5000, fencingRounds: 1000, kills: 250, seed })
  console.log(`seed ${seed}:`, { ...report, anomalies: report.anomalies.length })
  expect(report.anomalies.slice(0, 20)).toEqual([])
  expect(report.fenced).toBe(1000)
})
