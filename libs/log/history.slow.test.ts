import { test } from 'vitest'
import { runHistories } from './test/history.ts'

const SEEDS = Number(process.env['ASSAY_SEEDS'] ?? 10_000)

test(`${SEEDS} random histories with crashes and full disks keep what was acknowledged, once and in order`, async () => {
  for (let from = 1; from <= SEEDS; from += 1000) {
    await runHistories({ from, count: Math.min(1000, SEEDS + 1 - from) })
    console.log(`histories told so far: ${Math.min(from + 999, SEEDS)}`)
  }
}, 3_600_000)
