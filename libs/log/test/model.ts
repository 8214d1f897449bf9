/** What a log must do, in a few lines: units in the order of their calls, and of each producer what its next batch may be. */
import { WINDOW_BATCHES } from '../producers.ts'

export interface ModelBatch {
  readonly partition: string
  readonly name: string
  readonly count: number
  /** Undefined when no producer numbers it. */
  readonly producer?: { readonly id: number; readonly epoch: number; readonly sequence: number }
}

export interface ModelRecord {
  readonly offset: number
  readonly key: string
  /** Null is a tombstone. */
  readonly value: string | null
}

/** Few keys, so that they meet again, and some tombstones. */
export function recordsOf({ name, count }: ModelBatch): Omit<ModelRecord, 'offset'>[] {
  const number = Number(name.slice(1))
  return Array.from({ length: count }, (_, at) => ({
    key: `k${(number + at * 3) % 5}`,
    value: (number * 7 + at) % 4 === 0 ? null : `${name}.${at}`
  }))
}

/** What was appended together. */
export interface ModelUnit {
  batches: ModelBatch[]
  isAcknowledged: boolean
  /** The disk was full: it will not be there once there is space. */
  isRefused?: boolean
}

interface Sent {
  readonly batch: ModelBatch
  readonly baseOffset: number
}

export class Model {
  units: ModelUnit[] = []

  /** All that was ever appended to a partition. */
  records(partition: string): ModelRecord[] {
    return this.#sent(partition).flatMap(({ batch, baseOffset }) =>
      recordsOf(batch).map((record, at) => ({ ...record, offset: baseOffset + at }))
    )
  }

  /** Those that compaction may not take: the last of each key, unless it is a tombstone. */
  lasting(partition: string): ModelRecord[] {
    const last = new Map(this.records(partition).map(record => [record.key, record]))
    return [...last.values()].filter(({ value }) => value !== null)
  }

  /** The batches of a partition with the offsets that they took. */
  batches(partition: string): { readonly batch: ModelBatch; readonly lastOffset: number }[] {
    return this.#sent(partition).map(({ batch, baseOffset }) => ({ batch, lastOffset: baseOffset + batch.count - 1 }))
  }

  /** Where the batch would go, the first place of a duplicate, or the error's name. */
  verdict(batch: ModelBatch): { readonly baseOffset: number; readonly duplicate: boolean } | string {
    const sent = this.#sent(batch.partition)
    const end = sent.reduce((offset, { batch: { count } }) => offset + count, 0)
    const place = { baseOffset: end, duplicate: false }
    if (batch.producer === undefined) return place
    const { id, epoch, sequence } = batch.producer
    const ofProducer = sent.filter(({ batch: other }) => other.producer?.id === id)
    const last = ofProducer.at(-1)?.batch
    if (last?.producer === undefined) return place
    if (epoch < last.producer.epoch) return 'PRODUCER_FENCED'
    if (epoch > last.producer.epoch) return sequence === 0 ? place : 'OUT_OF_ORDER_SEQUENCE'
    const window = ofProducer.filter(({ batch: other }) => other.producer!.epoch === epoch).slice(-WINDOW_BATCHES)
    const same = window.find(({ batch: other }) => other.producer!.sequence === sequence && other.count === batch.count)
    if (same !== undefined) return { baseOffset: same.baseOffset, duplicate: true }
    return sequence === last.producer.sequence + last.count ? place : 'OUT_OF_ORDER_SEQUENCE'
  }

  /** The sequence that the producer must send next. */
  nextSequence(partition: string, id: number, epoch: number): number {
    const last = this.#sent(partition)
      .map(({ batch }) => batch)
      .filter(({ producer }) => producer?.id === id && producer.epoch === epoch)
      .at(-1)
    return last === undefined ? 0 : last.producer!.sequence + last.count
  }

  /** The last batches of a partition that a producer sent. */
  sentBy(partition: string, id: number): ModelBatch[] {
    return this.#sent(partition)
      .map(({ batch }) => batch)
      .filter(({ producer }) => producer?.id === id)
  }

  #sent(partition: string): Sent[] {
    let baseOffset = 0
    return this.units
      .flatMap(({ batches }) => batches)
      .filter(batch => batch.partition === partition)
      .map(batch => {
        const sent = { batch, baseOffset }
        baseOffset += batch.count
        return sent
      })
  }
}
