/** Integers from 0 to below a bound, the same row for the same seed (mulberry32): for tests that print their seed. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** The seed of this run: `ASSAY_SEED` to replay one, else another each time. */
export const seedOfRun = (): number => Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)
