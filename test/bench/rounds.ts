/** Rounds: each load is measured more than once, the brokers taking turns, so that the noise of the machine meets all of them. */

/** The targets of a round in the order in which they are measured: each round begins with another one, so that none is always first. */
export function turn<T>(targets: readonly T[], round: number): T[] {
  const first = targets.length === 0 ? 0 : round % targets.length
  return [...targets.slice(first), ...targets.slice(0, first)]
}

/** The middle one; of an even count the mean of the two in the middle. Undefined for none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : sorted.length === 0 ? undefined : (sorted[middle - 1]! + sorted[middle]!) / 2
}
