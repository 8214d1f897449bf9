/** The checker of transactional histories: what producers were told, against what readers found. Each anomaly is told in words. */

export type Outcome = 'committed' | 'aborted'

export interface WrittenTransaction {
  readonly producer: string
  /** Counts the transactions of a producer. */
  readonly number: number
  /** What it came to; never left open: producers ask until they know. */
  readonly outcome: Outcome
  /** Names of its records by partition, in the order in which they were sent and acknowledged. */
  readonly records: readonly { readonly partition: number; readonly name: string }[]
  /** The offset that it committed for the producer's group. */
  readonly offset: number | undefined
}

export interface FoundRecord {
  readonly partition: number
  readonly offset: number
  readonly name: string
}

export interface TransactionHistory {
  readonly written: readonly WrittenTransaction[]
  /** Records that were refused: nobody may ever see them. */
  readonly refused: ReadonlySet<string>
  readonly committed: readonly FoundRecord[]
  readonly all: readonly FoundRecord[]
  /** By producer, what its group had committed at the end. */
  readonly offsets: ReadonlyMap<string, number>
  /** What readers of committed records were shown while the history was made. */
  readonly seen: readonly FoundRecord[]
}

export function transactionAnomalies(history: TransactionHistory): string[] {
  const { written, refused, committed, all, offsets, seen } = history
  const anomalies: string[] = []
  const times = countOf(committed)
  const timesOfAll = countOf(all)
  const outcomeOf = new Map<string, WrittenTransaction>()
  for (const transaction of written) for (const { name } of transaction.records) outcomeOf.set(name, transaction)

  for (const { producer, number, outcome, records } of written) {
    const visible = records.filter(({ name }) => times.has(name))
    const of = `transaction ${number} of ${producer}`
    if (outcome === 'committed' && visible.length < records.length) {
      const lost = records.length - visible.length
      anomalies.push(
        visible.length === 0 ? `${of} was committed and is lost` : `${of} is torn: ${lost} of ${records.length} records are lost`
      )
    }
    if (outcome === 'aborted' && visible.length > 0)
      anomalies.push(`${of} was aborted and ${visible[0]!.name} is read as committed`)
    for (const { name } of records) {
      if ((timesOfAll.get(name) ?? 0) > 1) anomalies.push(`${name} of ${of} is there ${timesOfAll.get(name)} times`)
    }
  }
  for (const { name, partition, offset } of committed) {
    if (refused.has(name)) anomalies.push(`${name} was refused, and is at ${partition}@${offset}`)
    else if (!outcomeOf.has(name)) anomalies.push(`${name} at ${partition}@${offset} was written by nobody`)
  }
  for (const { name } of all) if (refused.has(name)) anomalies.push(`${name} was refused, and is stored`)

  const place = new Map(committed.map(({ name, partition, offset }) => [name, { partition, offset }]))
  const last = new Map<string, number>()
  for (const { producer, outcome, records } of written) {
    if (outcome === 'aborted') continue
    for (const { partition, name } of records) {
      const found = place.get(name)
      if (found === undefined) continue
      if (found.partition !== partition)
        anomalies.push(`${name} was written to partition ${partition} and is in ${found.partition}`)
      const key = `${producer}/${partition}`
      if (found.offset < (last.get(key) ?? -1)) anomalies.push(`${name} of ${producer} is out of order`)
      last.set(key, found.offset)
    }
  }

  for (const { name, partition, offset } of seen) {
    const found = place.get(name)
    if (found === undefined)
      anomalies.push(`${name} was once read as committed at ${partition}@${offset} and is not there any more`)
    else if (found.offset !== offset) anomalies.push(`${name} moved from ${partition}@${offset} to ${found.offset}`)
  }

  const expected = new Map<string, number>()
  for (const { producer, outcome, offset } of written) {
    if (outcome === 'committed' && offset !== undefined) expected.set(producer, offset)
  }
  for (const [producer, offset] of expected) {
    const found = offsets.get(producer)
    if (found !== offset) anomalies.push(`the group of ${producer} is at ${found}, and its last commit was ${offset}`)
  }
  return anomalies
}

function countOf(records: readonly FoundRecord[]): Map<string, number> {
  const times = new Map<string, number>()
  for (const { name } of records) times.set(name, (times.get(name) ?? 0) + 1)
  return times
}

/** Ends of partitions as they are told while time goes by: none of them may ever go back, whatever befalls the server. */
export interface EndsWatch {
  note(partition: number, ends: { readonly highWatermark: number; readonly lastStableOffset: number }): void
  readonly anomalies: readonly string[]
}

export function endsWatch(): EndsWatch {
  const anomalies: string[] = []
  const known = new Map<number, { highWatermark: number; lastStableOffset: number }>()
  return {
    anomalies,
    note(partition, { highWatermark, lastStableOffset }) {
      const before = known.get(partition)
      if (before !== undefined && highWatermark < before.highWatermark)
        anomalies.push(`the high watermark of ${partition} went back from ${before.highWatermark} to ${highWatermark}`)
      if (before !== undefined && lastStableOffset < before.lastStableOffset)
        anomalies.push(`the last stable offset of ${partition} went back from ${before.lastStableOffset} to ${lastStableOffset}`)
      if (lastStableOffset > highWatermark)
        anomalies.push(`partition ${partition} is stable up to ${lastStableOffset}, behind ${highWatermark}`)
      known.set(partition, { highWatermark, lastStableOffset })
    }
  }
}
