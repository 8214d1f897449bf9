import { expect, test } from 'vitest'
import { groupKillLoop } from './group-kill-loop.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)
const [REBALANCES, KILLS] = [200, 10]

test(`${REBALANCES} rebalances of both protocols while the server is killed: no partition has two readers, no commit is lost (seed ${seed})`, async () => {
  const { anomalies, rebalances, kills, moves, commits } = await groupKillLoop({ rebalances: REBALANCES, kills: KILLS, seed })
  console.log(`seed ${seed}: ${rebalances} rebalances, ${kills} kills, ${moves} partitions moved, ${commits} commits`)
  expect(anomalies.slice(0, 20)).toEqual([])
  expect(moves).toBeGreaterThan(REBALANCES)
  expect(commits).toBeGreaterThan(REBALANCES * 5)
}, 300_000)
