/**
 * The newest batches of each partition: those whose index rows no checkpoint has written yet, and those whose bytes the tail cache
 * still holds. What is not here is in the offset index, so that between the two nothing is ever missing.
 */
import type { Offset } from './log.ts'

/** Where a batch lies, as the offset index knows it. */
export interface StoredBatch {
  readonly sequence: number
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  /** The batch's own largest timestamp. */
  readonly maxTimestampMs: number
  /** The largest of the partition up to this batch: it never falls, hence time can be searched by halving. */
  readonly runningMaxTimestampMs: number
  readonly sizeBytes: number
}

export interface RecentBatch extends StoredBatch {
  /** Topic ID and partition: 20 bytes. */
  readonly prefix: Buffer
  /** Changes when it is copied forward. */
  sequence: number
  /** The list that it stands in. */
  readonly home: RecentBatches
  runningMaxTimestampMs: number
  /** Undefined once the tail cache let go of it. */
  bytes: Buffer | undefined
  isIndexed: boolean
}

const COMPACT_AT = 1024

/** The recent batches of one partition, dense and in order. */
export class RecentBatches {
  #entries: RecentBatch[] = []
  #head = 0

  get first(): RecentBatch | undefined {
    return this.#entries[this.#head]
  }

  get length(): number {
    return this.#entries.length - this.#head
  }

  at(index: number): RecentBatch | undefined {
    return this.#entries[this.#head + index]
  }

  push(batch: RecentBatch): void {
    this.#entries.push(batch)
  }

  /** Index of the batch that holds the offset; -1 when that lies before the first, the length when it lies behind the last. */
  find(offset: Offset): number {
    if (this.first === undefined || offset < this.first.baseOffset) return -1
    return this.#search(batch => batch.lastOffset >= offset)
  }

  /** Index of the first batch whose running maximum reaches the timestamp, or the length. */
  findByTime(timestampMs: number): number {
    return this.#search(batch => batch.runningMaxTimestampMs >= timestampMs)
  }

  /** Lets go of the oldest as far as they can be found elsewhere and their bytes are gone. */
  trim(): void {
    const entries = this.#entries
    while (this.#head < entries.length) {
      const oldest = entries[this.#head]!
      if (!oldest.isIndexed || oldest.bytes !== undefined) break
      this.#head++
    }
    if (this.#head === entries.length || (this.#head >= COMPACT_AT && this.#head * 2 > entries.length)) {
      this.#entries = entries.slice(this.#head)
      this.#head = 0
    }
  }

  /** The same batch lies elsewhere now. One that was thinned out is not the same: its old place stays good until it leaves this list. */
  relocate({ sequence, baseOffset, lastOffset, sizeBytes }: StoredBatch): void {
    const known = this.at(this.find(baseOffset))
    if (known?.baseOffset !== baseOffset || known.lastOffset !== lastOffset || known.sizeBytes !== sizeBytes) return
    known.sequence = sequence
  }

  /** Lets go of those that end before the offset, as far as the index has them or nobody needs them: deleted ones, and those written anew. */
  dropBelow(offset: Offset): void {
    for (let at = this.#head; at < this.#entries.length; at++) {
      const batch = this.#entries[at]!
      if (batch.lastOffset >= offset) break
      batch.bytes = undefined
    }
    this.trim()
  }

  /** Index of the first batch that passes; once one does, all later ones do. */
  #search(passes: (batch: RecentBatch) => boolean): number {
    let low = this.#head
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (passes(this.#entries[middle]!)) high = middle
      else low = middle + 1
    }
    return low - this.#head
  }
}
