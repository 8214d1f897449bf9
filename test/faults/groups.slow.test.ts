import { expect, test } from 'vitest'
import { groupKillLoop } from './group-kill-loop.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)
const REBALANCES = Number(process.env['ASSAY_REBALANCES'] ?? 2000)

test(`${REBALANCES} rebalances of both protocols while the server is killed (seed ${seed})`, async () => {
  const { anomalies, kills, moves, commits } = await groupKillLoop({ rebalances: REBALANCES, kills: REBALANCES / 20, seed })
  console.log(`seed ${seed}: ${REBALANCES} rebalances, ${kills} kills, ${moves} partitions moved, ${commits} commits`)
  expect(anomalies.slice(0, 20)).toEqual([])
}, 3_600_000)
