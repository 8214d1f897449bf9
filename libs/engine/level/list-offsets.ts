/** ListOffsets: the first, the last, the newest and the timely offset of partitions. */
import type { PartitionLog } from '@assay/log'
import { errorCode, type listOffsets, type ResponseOf } from '@assay/protocol'
import type { Handler } from './context.ts'
import { epochError, LEADER_EPOCH } from './leader-epoch.ts'
import { refusalOf } from './refusal.ts'

type Found = Omit<ResponseOf<typeof listOffsets>['topics'][number]['partitions'][number], 'partitionIndex'>

/** Timestamps with a meaning of their own (Kafka's `ListOffsetsRequest`). */
const LATEST = -1n
const EARLIEST = -2n
const MAX_TIMESTAMP = -3n
const EARLIEST_LOCAL = -4n
const LATEST_TIERED = -5n
const EARLIEST_PENDING_UPLOAD = -6n
/** The version that brought each; what an older request means by them nobody knows. */
const SINCE_VERSION: ReadonlyMap<bigint, number> = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11]
])

const READ_COMMITTED = 1

const notFound: Found = { errorCode: 0, timestamp: -1n, offset: -1n, leaderEpoch: -1 }
const failing = (code: number): Found => ({ ...notFound, errorCode: code })
const at = (offset: number, timestampMs = -1): Found => ({
  errorCode: 0,
  timestamp: BigInt(timestampMs),
  offset: BigInt(offset),
  leaderEpoch: LEADER_EPOCH
})

export const answerListOffsets: Handler<typeof listOffsets> = async (level, { version, body }) => {
  const topics = []
  for (const asked of body.topics) {
    const topic = level.topics.get({ name: asked.name })
    const partitions = []
    const times = new Map<number, number>()
    for (const { partitionIndex } of asked.partitions) times.set(partitionIndex, (times.get(partitionIndex) ?? 0) + 1)
    for (const { partitionIndex, currentLeaderEpoch, timestamp } of asked.partitions) {
      const log = topic === undefined ? undefined : level.topics.partition(topic, partitionIndex)
      const committedOnly = body.isolationLevel === READ_COMMITTED
      // Its answers could not be told apart.
      const found =
        times.get(partitionIndex)! > 1
          ? failing(errorCode('INVALID_REQUEST'))
          : await find(log, { version, timestamp, currentLeaderEpoch, committedOnly })
      partitions.push({ partitionIndex, ...found })
    }
    topics.push({ name: asked.name, partitions })
  }
  return { throttleTimeMs: 0, topics }
}

interface Wanted {
  readonly version: number
  readonly timestamp: bigint
  readonly currentLeaderEpoch: number
  readonly committedOnly: boolean
}

async function find(log: PartitionLog | undefined, wanted: Wanted): Promise<Found> {
  if (log === undefined) return failing(errorCode('UNKNOWN_TOPIC_OR_PARTITION'))
  const isMeaningful =
    wanted.timestamp >= 0n || wanted.version >= (SINCE_VERSION.get(wanted.timestamp) ?? Number.POSITIVE_INFINITY)
  if (!isMeaningful) return failing(errorCode('UNSUPPORTED_VERSION'))
  const refusal = epochError(wanted.currentLeaderEpoch)
  if (refusal !== 0) return failing(refusal)
  const end = wanted.committedOnly ? log.lastStableOffset : log.highWatermark
  switch (wanted.timestamp) {
    case LATEST:
      return at(end)
    case EARLIEST:
    case EARLIEST_LOCAL:
      return at(log.startOffset)
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return notFound
  }
  try {
    const place =
      wanted.timestamp === MAX_TIMESTAMP ? await log.offsetOfMaxTimestamp() : await log.offsetAt(Number(wanted.timestamp))
    return place === undefined || place.offset >= end ? notFound : at(place.offset, place.timestampMs)
  } catch (error) {
    return failing(refusalOf(error).errorCode)
  }
}
