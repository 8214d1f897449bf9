/** What the requests about groups and their offsets ask of the caller; the refusals as Kafka's broker shapes them. */
import {
  deleteGroups,
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetFetch,
  type RequestOf,
  type ResponseOf,
  syncGroup
} from '@assay/protocol'
import { CLUSTER, type ResourceType } from '@assay/security'
import {
  type Asked,
  blankAt,
  codeOf,
  GROUP_REFUSED,
  joined,
  type Row,
  row,
  split,
  TOPIC_REFUSED,
  tellingRow,
  wholeRow
} from './access.ts'
import { operationsMask } from './kafka-acl.ts'

interface GroupRequest {
  readonly groupId: string
}
const memberRow = ({ key, name }: { readonly key: number; readonly name: string }): Row =>
  wholeRow<GroupRequest, { errorCode: number }>(key, name, 'read', 'group', ({ groupId }) => groupId)

type CommitTopic = ResponseOf<typeof offsetCommit>['topics'][number]

const offsetCommitRow = row<RequestOf<typeof offsetCommit>, ResponseOf<typeof offsetCommit>>(
  offsetCommit.key,
  offsetCommit.name,
  async asked => {
    const { body } = asked
    const mayGroup = asked.may('read', 'group', body.groupId)
    const parts = await split(body.topics, async ({ name, topicId, partitions }): Promise<CommitTopic | undefined> => {
      const known = name === '' ? await asked.topicName(topicId) : name
      if (mayGroup && (known === undefined || asked.may('read', 'topic', known))) return undefined
      const code = mayGroup ? TOPIC_REFUSED : GROUP_REFUSED
      return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })) }
    })
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, topics: parts.allowed })
    return { ...answer, topics: joined(parts, answer.topics) }
  }
)

type FetchAsked = Asked<RequestOf<typeof offsetFetch>, ResponseOf<typeof offsetFetch>>
type FetchedGroup = ResponseOf<typeof offsetFetch>['groups'][number]
type FetchedTopic = FetchedGroup['topics'][number]
type AskedTopics = RequestOf<typeof offsetFetch>['groups'][number]['topics']

const offsetFetchRow = row<RequestOf<typeof offsetFetch>, ResponseOf<typeof offsetFetch>>(
  offsetFetch.key,
  offsetFetch.name,
  async asked => (asked.version < 8 ? oneGroup(asked) : manyGroups(asked))
)

async function oneGroup(asked: FetchAsked): Promise<ResponseOf<typeof offsetFetch>> {
  const { body, version } = asked
  const topics = body.topics?.map(topic => ({ ...topic, topicId: '' })) ?? null
  if (!asked.may('describe', 'group', body.groupId)) {
    // Version 1 has no code for the whole.
    if (version >= 2) return asked.blank({ errorCode: GROUP_REFUSED })
    return asked.blank({ topics: (topics ?? []).map(topic => unfetched(asked, topic, GROUP_REFUSED)) })
  }
  const { allowed, refused } = await seenTopics(asked, topics)
  const answer = await asked.pass({ ...body, topics: allowed })
  return { ...answer, topics: [...seenAnswers(asked, allowed === null, answer.topics as FetchedTopic[]), ...refused] }
}

async function manyGroups(asked: FetchAsked): Promise<ResponseOf<typeof offsetFetch>> {
  const refusedTopics = new Map<string, FetchedTopic[]>()
  const groups: typeof asked.body.groups = []
  const refusedGroups: FetchedGroup[] = []
  for (const group of asked.body.groups) {
    const { groupId } = group
    if (!asked.may('describe', 'group', groupId)) {
      refusedGroups.push({ groupId, topics: [], errorCode: GROUP_REFUSED })
      continue
    }
    const { allowed, refused } = await seenTopics(asked, group.topics)
    refusedTopics.set(groupId, refused)
    groups.push({ ...group, topics: allowed })
  }
  const answer = groups.length === 0 ? asked.blank() : await asked.pass({ ...asked.body, groups })
  const wholeOf = new Set(groups.filter(({ topics }) => topics === null).map(({ groupId }) => groupId))
  const answered = answer.groups.map(group => ({
    ...group,
    topics: [
      ...seenAnswers(asked, wholeOf.has(group.groupId), group.topics),
      ...(group.errorCode === 0 ? (refusedTopics.get(group.groupId) ?? []) : [])
    ]
  }))
  return { ...answer, groups: [...answered, ...refusedGroups] }
}

const unfetched = (
  { api }: FetchAsked,
  { name, topicId, partitionIndexes }: { name: string; topicId: string; partitionIndexes: number[] },
  errorCode: number
): FetchedTopic => ({
  name,
  topicId,
  partitions: partitionIndexes.map(partitionIndex =>
    blankAt<FetchedTopic['partitions'][number]>(api, ['groups', 'topics', 'partitions'], {
      partitionIndex,
      errorCode,
      committedOffset: -1n,
      metadata: ''
    })
  )
})

async function seenTopics(
  asked: FetchAsked,
  topics: AskedTopics
): Promise<{ readonly allowed: AskedTopics; readonly refused: FetchedTopic[] }> {
  if (topics === null) return { allowed: null, refused: [] }
  return split(topics, async topic => {
    const name = topic.name === '' ? await asked.topicName(topic.topicId) : topic.name
    return name === undefined || asked.may('describe', 'topic', name) ? undefined : unfetched(asked, topic, TOPIC_REFUSED)
  })
}

/** Of all offsets of a group those of topics that he may see. */
const seenAnswers = (asked: FetchAsked, all: boolean, topics: readonly FetchedTopic[]): readonly FetchedTopic[] =>
  all ? topics.filter(({ name }) => asked.sees('describe', 'topic', name)) : topics

/** FindCoordinator's types of keys. */
const keyTypes: readonly (ResourceType | undefined)[] = ['group', 'transactional-id', CLUSTER.type]

const findCoordinatorRow = row<RequestOf<typeof findCoordinator>, ResponseOf<typeof findCoordinator>>(
  findCoordinator.key,
  findCoordinator.name,
  async asked => {
    const { body, version } = asked
    const type = keyTypes[body.keyType]
    // An unknown type is the engine's to refuse.
    if (type === undefined) return asked.pass()
    const isAllowed = (name: string): boolean =>
      type === CLUSTER.type ? asked.may('cluster-action', type, CLUSTER.name) : asked.may('describe', type, name)
    const refusal = { errorCode: codeOf(type), errorMessage: null, nodeId: -1, host: '', port: -1 }
    if (version < 4) return isAllowed(body.key) ? asked.pass() : asked.blank(refusal)
    const parts = await split(body.coordinatorKeys, key => (isAllowed(key) ? undefined : { key, ...refusal }))
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, coordinatorKeys: parts.allowed })
    return { ...answer, coordinators: joined(parts, answer.coordinators) }
  }
)

type DescribedGroup = ResponseOf<typeof describeGroups>['groups'][number]

const describeGroupsRow = tellingRow<RequestOf<typeof describeGroups>, ResponseOf<typeof describeGroups>>(
  describeGroups.key,
  describeGroups.name,
  async asked => {
    const { body } = asked
    const parts = await split(body.groups, groupId =>
      asked.may('describe', 'group', groupId)
        ? undefined
        : blankAt<DescribedGroup>(asked.api, ['groups'], { groupId, errorCode: GROUP_REFUSED })
    )
    const answer =
      parts.allowed.length === 0 && parts.refused.length > 0
        ? asked.blank()
        : await asked.pass({ ...body, groups: parts.allowed })
    const groups = joined(parts, answer.groups).map(group =>
      body.includeAuthorizedOperations && group.errorCode === 0
        ? { ...group, authorizedOperations: operationsMask('group', group.groupId, asked.sees) }
        : group
    )
    return { ...answer, groups }
  }
)

const listGroupsRow = row<RequestOf<typeof listGroups>, ResponseOf<typeof listGroups>>(
  listGroups.key,
  listGroups.name,
  async asked => {
    const answer = await asked.pass()
    if (asked.sees('describe', CLUSTER.type, CLUSTER.name)) return answer
    return { ...answer, groups: answer.groups.filter(({ groupId }) => asked.sees('describe', 'group', groupId)) }
  }
)

const deleteGroupsRow = row<RequestOf<typeof deleteGroups>, ResponseOf<typeof deleteGroups>>(
  deleteGroups.key,
  deleteGroups.name,
  async asked => {
    const parts = await split(asked.body.groupsNames, groupId =>
      asked.may('delete', 'group', groupId) ? undefined : { groupId, errorCode: GROUP_REFUSED, errorMessage: null }
    )
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...asked.body, groupsNames: parts.allowed })
    return { ...answer, results: joined(parts, answer.results) }
  }
)

interface DeletedOffsets {
  errorCode: number
  topics: { name: string; partitions: { partitionIndex: number; errorCode: number }[] }[]
}
interface DeleteOffsetsRequest extends GroupRequest {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly { readonly partitionIndex: number }[] }[]
}

const offsetDeleteRow = row<DeleteOffsetsRequest, DeletedOffsets>(47, 'OffsetDelete', async asked => {
  const { body } = asked
  if (!asked.may('delete', 'group', body.groupId)) return asked.blank({ errorCode: GROUP_REFUSED })
  const parts = await split(body.topics, ({ name, partitions }) => {
    if (asked.may('read', 'topic', name)) return undefined
    return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: TOPIC_REFUSED })) }
  })
  if (parts.refused.length === 0) return asked.pass()
  const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, topics: parts.allowed })
  // A failure of the whole has no topics beside it.
  return answer.errorCode === 0 ? { ...answer, topics: joined(parts, answer.topics) } : answer
})

interface MemberHeartbeat extends GroupRequest {
  readonly subscribedTopicNames: readonly string[] | null
}

/** KIP-848: who subscribes to a name must be allowed to know that it is there. */
const memberHeartbeatRow = row<MemberHeartbeat, { errorCode: number }>(68, 'ConsumerGroupHeartbeat', async asked => {
  const { groupId, subscribedTopicNames } = asked.body
  if (!asked.may('read', 'group', groupId)) return asked.blank({ errorCode: GROUP_REFUSED })
  const isSeen = (subscribedTopicNames ?? []).every(name => asked.may('describe', 'topic', name))
  return isSeen ? asked.pass() : asked.blank({ errorCode: TOPIC_REFUSED })
})

interface DescribedMember {
  readonly assignment: { readonly topicPartitions: readonly { readonly topicName: string }[] }
  readonly targetAssignment: { readonly topicPartitions: readonly { readonly topicName: string }[] }
}
interface DescribedConsumerGroup {
  errorCode: number
  errorMessage: string | null
  groupId: string
  members: DescribedMember[]
  authorizedOperations: number
}
interface DescribeConsumerGroups {
  readonly groupIds: readonly string[]
  readonly includeAuthorizedOperations: boolean
}

const consumerGroupsRow = tellingRow<DescribeConsumerGroups, { groups: DescribedConsumerGroup[] }>(
  69,
  'ConsumerGroupDescribe',
  async asked => {
    const { body } = asked
    const refusal = (groupId: string, errorCode: number, errorMessage: string | null = null): DescribedConsumerGroup =>
      blankAt<DescribedConsumerGroup>(asked.api, ['groups'], { groupId, errorCode, errorMessage })
    const parts = await split(body.groupIds, groupId =>
      asked.may('describe', 'group', groupId) ? undefined : refusal(groupId, GROUP_REFUSED)
    )
    const answer =
      parts.allowed.length === 0 && parts.refused.length > 0
        ? asked.blank()
        : await asked.pass({ ...body, groupIds: parts.allowed })
    const groups = joined(parts, answer.groups).map(group => {
      if (group.errorCode !== 0) return group
      const topics = group.members.flatMap(({ assignment, targetAssignment }) => [
        ...assignment.topicPartitions,
        ...targetAssignment.topicPartitions
      ])
      // A group with a topic that he may not know of is not shown in part.
      if (!topics.every(({ topicName }) => asked.sees('describe', 'topic', topicName))) {
        return refusal(
          group.groupId,
          TOPIC_REFUSED,
          'The group has described topic(s) that the client is not authorized to describe.'
        )
      }
      if (!body.includeAuthorizedOperations) return group
      return { ...group, authorizedOperations: operationsMask('group', group.groupId, asked.sees) }
    })
    return { ...answer, groups }
  }
)

export const groupRows: readonly Row[] = [
  offsetCommitRow,
  offsetFetchRow,
  findCoordinatorRow,
  memberRow(joinGroup),
  memberRow(heartbeat),
  memberRow(leaveGroup),
  memberRow(syncGroup),
  describeGroupsRow,
  listGroupsRow,
  deleteGroupsRow,
  offsetDeleteRow,
  memberHeartbeatRow,
  consumerGroupsRow
]
