/** Gives out producer IDs, none of them twice: whole blocks are taken in the metadata log before the first of them is used. */
import type { MetadataLog } from './metadata-log.ts'

/** IDs that a crash may leave unused. Kafka takes blocks of the same size. */
const BLOCK = 1000

export interface ProducerIds {
  next(): Promise<number>
}

export function producerIds(log: MetadataLog): ProducerIds {
  let next = 0
  let end = 0
  let refill: Promise<void> | undefined

  async function take(): Promise<void> {
    const from = await log.change(() => {
      const first = log.metadata.producerIdsNext
      return { records: [{ type: 'producer-ids', next: first + BLOCK }], result: () => first }
    })
    next = from
    end = from + BLOCK
  }
  return {
    async next() {
      while (next === end) {
        refill ??= take().finally(() => {
          refill = undefined
        })
        await refill
      }
      return next++
    }
  }
}
