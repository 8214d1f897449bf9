/** What producers sent and were told, held against what is in the log: every anomaly in words. A pure function, so that it can be tested to find fault. */

export interface Sent {
  readonly producer: string
  /** Topic and index: `counted-0`. */
  readonly partition: string
  /** Counts the records of one producer in one partition, from 0. */
  readonly number: number
  /** The offset that was acknowledged; undefined when no answer came. */
  readonly offset?: number
}

export interface Found {
  readonly partition: string
  readonly offset: number
  readonly producer: string
  readonly number: number
}

export interface History {
  readonly sent: readonly Sent[]
  /** All partitions, from their first offset to their last. */
  readonly found: readonly Found[]
  /** Producers that send a batch again under the same sequence: none of theirs may be there twice, and their order holds. */
  readonly idempotent: ReadonlySet<string>
}

const nameOf = ({ producer, partition, number }: Pick<Sent, 'producer' | 'partition' | 'number'>): string =>
  `record ${number} of ${producer} in ${partition}`

/** Empty when nothing acknowledged is missing or elsewhere, nothing of an idempotent producer is doubled or out of order, and offsets are dense. */
export function recordAnomalies({ sent, found, idempotent }: History): string[] {
  return [...lostAnomalies(sent, found), ...doubledOrReordered(found, idempotent), ...gaps(found), ...invented(sent, found)]
}

/** Acknowledged records that are not at their offset. */
function lostAnomalies(sent: readonly Sent[], found: readonly Found[]): string[] {
  const at = new Map<string, Map<number, Found>>()
  for (const record of found) entry(at, record.partition, () => new Map()).set(record.offset, record)
  return sent.flatMap(record => {
    if (record.offset === undefined) return []
    const there = at.get(record.partition)?.get(record.offset)
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
  const offsets = new Map<string, number[]>()
  for (const { partition, offset } of found) entry(offsets, partition, () => []).push(offset)
  return [...offsets].flatMap(([partition, list]) => {
    const wrong = list.sort((a, b) => a - b).findIndex((offset, index) => offset !== index)
    return wrong < 0 ? [] : [`gap: ${partition} has offset ${list[wrong]} as its record ${wrong}`]
  })
}

function invented(sent: readonly Sent[], found: readonly Found[]): string[] {
  const known = new Map<string, Set<number>>()
  for (const { producer, partition, number } of sent) entry(known, `${producer}/${partition}`, () => new Set()).add(number)
  return found
    .filter(({ producer, partition, number }) => !known.get(`${producer}/${partition}`)?.has(number))
    .map(record => `invented: ${nameOf(record)} at offset ${record.offset} was never sent`)
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
