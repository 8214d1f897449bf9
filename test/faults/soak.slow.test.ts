import { expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../suites/random.ts'
import { growthOf, soak } from './soak.ts'

const seed = seedOfRun()
const MINUTES = Number(process.env['ASSAY_SOAK_MINUTES'] ?? 5)
/**
 * Of the mean. A heap that is collected goes up and down by about as much; a leak of one KiB for each request would be far beyond it.
 */
const RSS_GROWTH_MAX = 0.1
/** Connections come and go, and so do segments. */
const FDS_GROWTH_MAX = 8

test.skipIf(process.platform !== 'linux')(
  `${MINUTES} minutes of mixed load with faults: memory and descriptors stay flat (seed ${seed})`,
  async () => {
    const { samples, faults, anomalies } = await soak({ minutes: MINUTES, random: randomOf(seed) })
    console.table(samples)
    const rss = growthOf(samples, ({ rssMiB }) => rssMiB)
    const fds = growthOf(samples, sample => sample.fds)
    console.log(
      `seed ${seed}: second half: RSS ${rss.mean.toFixed(1)} MiB, growth ${rss.growth.toFixed(1)}; descriptors ${fds.mean.toFixed(1)}, growth ${fds.growth.toFixed(1)}`,
      faults
    )
    expect(anomalies.slice(0, 10)).toEqual([])
    expect(rss.growth / rss.mean).toBeLessThan(RSS_GROWTH_MAX)
    expect(fds.growth).toBeLessThan(FDS_GROWTH_MAX)
    expect(samples.at(-1)!.answered).toBeGreaterThan(MINUTES * 500)
  },
  (MINUTES + 3) * 60_000
)

test('growth is that of a line through the second half', () => {
  const samples = Array.from({ length: 20 }, (_, at) => ({
    atS: at * 5,
    rssMiB: at < 10 ? 0 : 100 + at * 2,
    fds: 9,
    answered: 0
  }))
  expect(growthOf(samples, ({ rssMiB }) => rssMiB).growth).toBeCloseTo(18)
  expect(growthOf(samples, ({ fds }) => fds).growth).toBeCloseTo(0)
})
