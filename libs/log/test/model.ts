/** What a log must do, in a few lines: units in the order of their calls, and of each producer what its next batch may be. */
import { WINDOW_BATCHES } from '../producers.ts'

export interface ModelBatch {
  readonly partition: string
  readonly name: string
  readonly count: number
  /** Undefined when no producer numbers it. */
  readonly producer?: { readonly id: number; readonly epoch: number; readonly sequence: number }
}

/** What was appended together. */
export interface ModelUnit {
  batches: ModelBatch[]
  isAcknowledged: boolean
}

interface Sent {
  readonly batch: ModelBatch
  readonly baseOffset: number
}

export class Model {
  units: ModelUnit[] = []

  values(partition: string): string[] {
    return this.#sent(partition).flatMap(({ batch, baseOffset }) =>
      Array.from({ length: batch.count }, (_, at) => `${baseOffset + at}=${batch.name}.${at}`)
    )
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
