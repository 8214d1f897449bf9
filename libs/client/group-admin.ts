/** Consumer groups as an operator handles them, over the Kafka protocol: groups of both protocols, of any broker. */
import { AssayError } from '@assay/errors'
import {
  Admin,
  ConfigResourceTypes,
  consumerGroupDescribeV0,
  FindCoordinatorKeyTypes,
  type GroupAssignment
} from '@platformatic/kafka'
import { adminOptions, type BrokerOptions } from './broker-access.ts'
import { alterConfigs, type Config, type ConfigEdit, type ConfigResource, describeConfigs } from './configs.ts'
import { kafkaFailure } from './kafka-failure.ts'
import { type RecordTimes, recordTimes } from './record-times.ts'

export interface GroupSummary {
  readonly name: string
  /** `classic` or `consumer`; Kafka has more. */
  readonly type: string
  readonly state: string
  readonly protocolType: string
}

export interface GroupMemberDescription {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly host: string
  /** Null of a member of the classic protocol in a classic group. */
  readonly epoch: number | null
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
}

export interface GroupDescription extends GroupSummary {
  /** The assignor of the members' leader, or of the server. */
  readonly assignor: string
  /** Null of a classic group. */
  readonly epoch: number | null
  readonly members: readonly GroupMemberDescription[]
}

export interface GroupOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export interface CommittedOffset extends GroupOffset {
  readonly metadata: string
}

/** Methods fail with GROUP_NOT_FOUND, with UNREACHABLE when no broker answers, and with PEER_REFUSED carrying the broker's code and text. */
export interface GroupAdmin {
  list(): Promise<GroupSummary[]>
  describe(group: string): Promise<GroupDescription>
  /** What the group has committed, in order of topics and partitions. */
  offsets(group: string): Promise<CommittedOffset[]>
  /** Commits for a group that nobody is in. */
  setOffsets(group: string, offsets: readonly GroupOffset[]): Promise<void>
  deleteOffsets(group: string, partitions: readonly { readonly topic: string; readonly partition: number }[]): Promise<void>
  delete(group: string): Promise<void>
  /** Every setting of the group as it is in force. */
  configs(group: string): Promise<Config[]>
  /** All of the changes or none; the group need not be there yet. */
  alter(group: string, edits: readonly ConfigEdit[], options: { readonly dryRun: boolean }): Promise<void>
  readonly times: RecordTimes
  close(): Promise<void>
}

export function groupAdmin(options: BrokerOptions): GroupAdmin {
  const { bootstrap } = options
  const admin = new Admin(adminOptions(options))
  const times = recordTimes(options)
  const asked = async <T>(what: string, question: () => Promise<T>): Promise<T> => {
    try {
      return await question()
    } catch (error) {
      throw kafkaFailure(error, { what, bootstrap })
    }
  }

  async function listed(): Promise<GroupSummary[]> {
    // The library asks for classic groups unless it is told which.
    const groups = await admin.listGroups({ types: [] })
    return [...groups.values()]
      .map(({ id, state, protocolType, groupType }) => ({
        name: id,
        type: groupType ?? 'classic',
        state: String(state),
        protocolType
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async function existing(group: string): Promise<GroupSummary> {
    const found = (await listed()).find(({ name }) => name === group)
    if (found === undefined) throw new AssayError('GROUP_NOT_FOUND', { group })
    return found
  }

  async function classicDescription(summary: GroupSummary): Promise<GroupDescription> {
    const groups = await admin.describeGroups({ groups: [summary.name] })
    const group = groups.get(summary.name)!
    const members = [...group.members.values()].map(member => ({
      memberId: member.id,
      instanceId: member.groupInstanceId ?? null,
      clientId: member.clientId,
      host: member.clientHost,
      epoch: null,
      partitions: [...(member.assignments?.values() ?? [])].flatMap(partitionsOf)
    }))
    return { ...summary, state: String(group.state), assignor: group.protocol, epoch: null, members }
  }

  async function consumerDescription(summary: GroupSummary): Promise<GroupDescription> {
    const [coordinator] = await admin.findCoordinator({ keyType: FindCoordinatorKeyTypes.GROUP, keys: [summary.name] })
    // The library has the request and no method that sends it.
    const connection = await admin.connections.get({ host: coordinator!.host, port: coordinator!.port })
    const { groups } = await consumerGroupDescribeV0.api.async(connection, [summary.name], false)
    const group = groups[0]!
    const members = group.members.map(member => ({
      memberId: member.memberId,
      instanceId: member.instanceId ?? null,
      clientId: member.clientId,
      host: member.clientHost,
      epoch: member.memberEpoch,
      partitions: member.assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
        partitions.map(partition => ({ topic: topicName, partition }))
      )
    }))
    return { ...summary, state: group.groupState, assignor: group.assignorName, epoch: group.groupEpoch, members }
  }

  return {
    times,
    list: () => asked('The list of groups', listed),
    describe: group =>
      asked(`Group '${group}'`, async () => {
        const summary = await existing(group)
        return summary.type === 'consumer' ? consumerDescription(summary) : classicDescription(summary)
      }),
    offsets: group =>
      asked(`Group '${group}'`, async () => {
        const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
        return (found?.topics ?? [])
          .flatMap(({ name, partitions }) =>
            partitions.map(({ partitionIndex, committedOffset, metadata }) => ({
              topic: name,
              partition: partitionIndex,
              offset: committedOffset,
              metadata: metadata ?? ''
            }))
          )
          .filter(({ offset }) => offset >= 0n)
          .sort(inOrder)
      }),
    setOffsets: (group, offsets) =>
      asked(`Group '${group}'`, async () => {
        const topics = grouped(offsets, ({ partition, offset }) => ({ partition, offset }))
        await admin.alterConsumerGroupOffsets({
          groupId: group,
          topics: topics.map(([name, partitionOffsets]) => ({ name, partitionOffsets }))
        })
      }),
    deleteOffsets: (group, partitions) =>
      asked(`Group '${group}'`, async () => {
        await existing(group)
        const topics = grouped(partitions, ({ partition }) => partition)
        await admin.deleteConsumerGroupOffsets({
          groupId: group,
          topics: topics.map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
        })
      }),
    delete: group =>
      asked(`Group '${group}'`, async () => {
        await existing(group)
        await admin.deleteGroups({ groups: [group] })
      }),
    configs: group => asked(`Group '${group}'`, () => describeConfigs(admin, resourceOf(group))),
    alter: (group, edits, options) => asked(`Group '${group}'`, () => alterConfigs(admin, resourceOf(group), edits, options)),
    async close() {
      await times.close()
      await admin.close()
    }
  }
}

const resourceOf = (name: string): ConfigResource => ({ type: ConfigResourceTypes.GROUP, name })

const partitionsOf = ({ topic, partitions }: GroupAssignment) => partitions.map(partition => ({ topic, partition }))

const inOrder = (a: { topic: string; partition: number }, b: { topic: string; partition: number }): number =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1

function grouped<T extends { readonly topic: string }, R>(values: readonly T[], one: (value: T) => R): [string, R[]][] {
  const byTopic = new Map<string, R[]>()
  for (const value of values) byTopic.set(value.topic, [...(byTopic.get(value.topic) ?? []), one(value)])
  return [...byTopic]
}
