/** When the record at an offset was written: of a group that lags, since when it does. */
import { Consumer, type RecordsBatch } from '@platformatic/kafka'
import { adminOptions, type BrokerOptions } from './broker-access.ts'
import { kafkaFailure } from './kafka-failure.ts'

export interface RecordTimes {
  /** Of the first record at the offset or after it, in ms since 1970; undefined when there is none. Fails with UNREACHABLE, PEER_REFUSED. */
  at(topic: string, partition: number, offset: bigint): Promise<number | undefined>
  close(): Promise<void>
}

const FETCH_BYTES_MAX = 64 * 1024
/** Transaction markers and the like: records that are the broker's own. */
const CONTROL_BATCH = 0b10_0000

export function recordTimes(options: BrokerOptions): RecordTimes {
  const { bootstrap } = options
  // The group is asked for by the library; nobody joins it.
  const kafka = new Consumer({ ...adminOptions(options), groupId: 'assay' })
  async function at(topic: string, partition: number, offset: bigint): Promise<number | undefined> {
    const { topics } = await kafka.metadata({ topics: [topic], autocreateTopics: false })
    const found = topics.get(topic)
    const leader = found?.partitions[partition]?.leader
    if (found === undefined || leader === undefined) return undefined
    const wanted = {
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: offset,
      lastFetchedEpoch: -1,
      partitionMaxBytes: FETCH_BYTES_MAX
    }
    const answer = await kafka.fetch({
      node: leader,
      topics: [{ topicId: found.id, partitions: [wanted] }],
      maxBytes: FETCH_BYTES_MAX,
      minBytes: 1,
      maxWaitTime: 0,
      isolationLevel: 0
    })
    for (const batch of answer.responses[0]?.partitions[0]?.records ?? []) {
      const time = timeIn(batch, offset)
      if (time !== undefined) return time
    }
    return undefined
  }
  return {
    async at(topic, partition, offset) {
      try {
        return await at(topic, partition, offset)
      } catch (error) {
        throw kafkaFailure(error, { what: `Topic '${topic}'`, bootstrap })
      }
    },
    close: () => kafka.close(true)
  }
}

function timeIn(batch: RecordsBatch, offset: bigint): number | undefined {
  if ((batch.attributes & CONTROL_BATCH) !== 0) return undefined
  const record = batch.records.find(({ offsetDelta }) => batch.firstOffset + BigInt(offsetDelta) >= offset)
  return record === undefined ? undefined : Number(batch.firstTimestamp + record.timestampDelta)
}
