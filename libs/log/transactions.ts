/**
 * The transactions of one partition as its log knows them: which are open, hence how far its end is stable, and which were aborted (aborted.ts),
 * hence what readers of committed records pass over (KIP-98). Derived from the batches; docs/formats/journal.md says how it is kept.
 */
import { encodeBatch } from '@assay/records'
import type { BatchFacts, TransactionEnd } from './batch-facts.ts'
import type { AbortedTransaction, Offset } from './log.ts'
import type { Partition } from './partition.ts'

/** A marker as Kafka writes it (`EndTransactionMarker`): key int16 version 0, int16 type; value int16 version 0, int32 epoch of the coordinator. */
export function markerBatch(marker: {
  readonly producerId: number
  readonly producerEpoch: number
  readonly end: TransactionEnd
  readonly nowMs: number
}): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(marker.end === 'commit' ? 1 : 0, 2)
  return encodeBatch({
    records: [{ key, value: Buffer.alloc(6) }],
    baseTimestampMs: marker.nowMs,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    isTransactional: true,
    isControl: true
  })
}

/** Makes a batch that is on disk part of the state. Gives the transaction that it aborted, if it did. */
export function applyToTransactions(partition: Partition, facts: BatchFacts, baseOffset: Offset): AbortedTransaction | undefined {
  const { openTransactions: open } = partition
  const { producerId, end } = facts
  if (end === undefined) {
    if (facts.isTransactional && !open.has(producerId)) open.set(producerId, baseOffset)
    return undefined
  }
  const firstOffset = open.get(producerId)
  open.delete(producerId)
  if (firstOffset === undefined || end === 'commit') return undefined
  const lastStableOffset = firstOpen(partition) ?? baseOffset + 1
  const aborted = { producerId, firstOffset, lastOffset: baseOffset, lastStableOffset }
  partition.aborted.push(aborted)
  return aborted
}

/** They are in the order in which they began: batches come in the order of their offsets. */
const firstOpen = ({ openTransactions: open }: Partition): Offset | undefined =>
  open.size === 0 ? undefined : open.values().next().value

/** First offset that an open transaction may still change; the high watermark when there is none. What lies behind it is left alone. */
export function lastStableOffsetOf(partition: Partition): Offset {
  const open = firstOpen(partition)
  // Records of an open transaction can be deleted too, by whoever asks for it.
  return open === undefined ? partition.highWatermark : Math.max(open, partition.startOffset)
}
