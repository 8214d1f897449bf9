import { test } from 'vitest'
import { runHistories } from './test/history.ts'

const SEEDS = Number(process.env['ASSAY_SEEDS'] ?? 10_000)

test(`${SEEDS} random histories with crashes and full disks keep what was acknowledged, once and in order`, async () => {
  await runHistories(SEEDS)
}, 3_600_000)
