/** What producers sent and were told, held against what is in the log: every anomaly in words. A pure function, so that it can be tested to find fault. */

export interface Sent {
  readonly producer: string
  readonly partition: number
  /** Counts the records of one producer in one partition, from 0. */
  readonly number: number
  /** The offset that was acknowledged; undefined when no answer came. */
  readonly offset?: number
}

export interface Found {
  readonly partition: number
  readonly offset: number
  readonly producer: string
  readonly number: number
}

export interface History {
  readonly sent: readonly Sent[]
  readonly found: readonly Found[]
  /** Producers that send a batch again under the same sequence: none of theirs may be there twice, and their order holds. */
  readonly idempotent: ReadonlySet<string>
}

const nameOf = ({ producer, partition, number }: Pick<Sent, 'producer' | 'partition' | 'number'>): string =>
  `record ${number} of ${producer} in partition ${partition}`

/** Empty when nothing acknowledged is missing or elsewhere, nothing of an idempotent producer is doubled or out of order, and offsets are dense. */
export function anomaliesOf({ sent, found, idempotent }: History): string[] {
  return [...lost({ sent, found }), ...doubledOrReordered(found, idempotent), ...gaps(found), ...invented(sent, found)]
}

function lost({ sent, found }: Pick<History, 'sent' | 'found'>): string[] {
  const at = new Map(found.map(record => [`${record.partition}@${record.offset}`, record]))
  return sent.flatMap(record => {
    if (record.offset === undefined) return []
    const there = at.get(`${record.partition}@${record.offset}`)
    if (there === undefined) return [`lost: ${nameOf(record)} was acknowledged at offset ${record.offset}, and nothing is there`]
    if (there.producer === record.producer && there.number === record.number) return []
    return [`replaced: ${nameOf(record)} was acknowledged at offset ${record.offset}, where ${nameOf(there)} is`]
  })
}

function doubledOrReordered(found: readonly Found[], idempotent: ReadonlySet<string>): string[] {
  const last = new Map<string, number>()
  const anomalies: string[] = []
  for (const record of [...found].sort((a, b) => a.offset - b.offset)) {
    if (!idempotent.has(record.producer)) continue
    const key = `${record.producer}/${record.partition}`
    const before = last.get(key) ?? -1
    if (record.number <= before)
      anomalies.push(`doubled or reordered: ${nameOf(record)} at offset ${record.offset} follows number ${before}`)
    else if (record.number > before + 1)
      anomalies.push(`skipped: ${nameOf(record)} at offset ${record.offset} follows number ${before}`)
    last.set(key, record.number)
  }
  return anomalies
}

function gaps(found: readonly Found[]): string[] {
  const offsets = new Map<number, number[]>()
  for (const { partition, offset } of found) offsets.set(partition, [...(offsets.get(partition) ?? []), offset])
  return [...offsets].flatMap(([partition, list]) =>
    list
      .sort((a, b) => a - b)
      .flatMap((offset, index) =>
        offset === index ? [] : [`gap: partition ${partition} has offset ${offset} as its record ${index}`]
      )
      .slice(0, 3)
  )
}

function invented(sent: readonly Sent[], found: readonly Found[]): string[] {
  const known = new Set(sent.map(nameOf))
  return found
    .filter(record => !known.has(nameOf(record)))
    .map(record => `invented: ${nameOf(record)} at offset ${record.offset} was never sent`)
}
