/** OffsetCommit: keeps how far a group has come, on disk before the answer. Refuses members of older generations. */
import { errorCode, type offsetCommit, type RequestOf, type ResponseOf } from '@assay/protocol'
import type { Handler, Level } from './context.ts'
import type { OffsetCommitEntry } from './groups/commits.ts'
import { TEXT_BYTES_MAX } from './groups/offset-records.ts'

type AskedTopic = RequestOf<typeof offsetCommit>['topics'][number]
type PartitionAnswer = ResponseOf<typeof offsetCommit>['topics'][number]['partitions'][number]

export const answerOffsetCommit: Handler<typeof offsetCommit> = async (level, { version, body }) => {
  const entries: OffsetCommitEntry[] = []
  const waiting: PartitionAnswer[] = []
  const topics = body.topics.map(asked => ({
    name: asked.name,
    topicId: asked.topicId,
    partitions: checkTopic(level, version >= 10, asked).map(({ answer, entry }) => {
      if (entry !== undefined) {
        entries.push(entry)
        waiting.push(answer)
      }
      return answer
    })
  }))
  const groupIdFits = Buffer.byteLength(body.groupId) <= TEXT_BYTES_MAX
  const error = groupIdFits
    ? await level.groups.commit(
        body.groupId,
        {
          memberId: body.memberId,
          instanceId: body.groupInstanceId,
          generation: body.generationIdOrMemberEpoch,
          knowsMemberEpoch: version >= 9
        },
        entries
      )
    : 'INVALID_GROUP_ID'
  for (const answer of waiting) answer.errorCode = errorCode(error)
  return { throttleTimeMs: 0, topics }
}

/** Each partition's answer as it stands, and what is to be committed where nothing speaks against it. */
export function checkTopic(
  level: Level,
  byId: boolean,
  asked: AskedTopic
): { readonly answer: PartitionAnswer; readonly entry?: OffsetCommitEntry }[] {
  const topic = level.topics.get(byId ? { id: asked.topicId } : { name: asked.name })
  return asked.partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
    const failing = (code: number) => ({ answer: { partitionIndex, errorCode: code } })
    if (topic === undefined) return failing(errorCode(byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'))
    if (level.topics.partition(topic, partitionIndex) === undefined) return failing(errorCode('UNKNOWN_TOPIC_OR_PARTITION'))
    const metadata = committedMetadata ?? ''
    if (Buffer.byteLength(metadata) > level.options.offsetMetadataBytesMax) return failing(errorCode('OFFSET_METADATA_TOO_LARGE'))
    return {
      answer: { partitionIndex, errorCode: 0 },
      entry: {
        topic: topic.name,
        topicId: topic.id,
        partition: partitionIndex,
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata
      }
    }
  })
}
