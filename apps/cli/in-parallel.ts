/** Work on many things at once, bounded. */

/** Runs over the items with at most `most` under way; answers in the order of the items. The first failure ends it when what runs has ended. */
export async function inParallel<T, R>(
  items: readonly T[],
  most: number,
  run: (item: T, index: number) => Promise<R>
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  let failed = false
  const work = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next++
      try {
        results[index] = await run(items[index]!, index)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const settled = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, work))
  const failure = settled.find(outcome => outcome.status === 'rejected')
  if (failure) throw failure.reason
  return results
}
