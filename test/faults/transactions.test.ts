import { expect, test } from 'vitest'
import { transactionLoop } from './transaction-loop.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)

test(`500 transactions and 100 fencing rounds under kills, with ends that come late and twice (seed ${seed})`, async () => {
  const report = await transactionLoop({ transactions: 500, fencingRounds: 100, kills: 25, seed })
  const { committed, aborted, fenced, kills, delayed, copied, readByOthers, anomalies } = report
  console.log(
    `seed ${seed}: ${committed} committed, ${aborted} aborted, ${fenced} fenced, ${kills} kills, ${delayed} requests delayed, ${copied} sent twice${readByOthers ? ', read by librdkafka too' : ''}`
  )
  expect(anomalies.slice(0, 20)).toEqual([])
  expect(committed + aborted).toBeGreaterThanOrEqual(700)
  expect(fenced).toBe(100)
  expect(kills).toBeGreaterThan(0)
  expect(copied).toBeGreaterThan(50)
}, 300_000)
