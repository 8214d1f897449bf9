/** Topics as an operator handles them, over the Kafka protocol: any broker answers. */
import { AssayError } from '@assay/errors'
import { Admin, ConfigResourceTypes } from '@platformatic/kafka'
import { adminOptions, type BrokerOptions } from './broker-access.ts'
import { alterConfigs, type Config, type ConfigEdit, type ConfigResource, describeConfigs } from './configs.ts'
import { kafkaFailure } from './kafka-failure.ts'

export interface TopicSummary {
  readonly name: string
  readonly partitions: number
}

export interface PartitionOffset {
  readonly partition: number
  readonly offset: bigint
}

export interface TopicDescription extends TopicSummary {
  readonly id: string
  readonly records: readonly { readonly partition: number; readonly startOffset: bigint; readonly endOffset: bigint }[]
  readonly configs: readonly Config[]
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/** Every method fails with UNREACHABLE when no broker answers, and with PEER_REFUSED carrying the broker's code and text. */
export interface TopicAdmin {
  list(options: { readonly internal: boolean }): Promise<TopicSummary[]>
  create(topic: NewTopic): Promise<void>
  describe(name: string): Promise<TopicDescription>
  /** Every setting of the topic as it is in force. */
  configs(name: string): Promise<Config[]>
  /** All of the changes or none. */
  alter(name: string, edits: readonly ConfigEdit[], options: { readonly dryRun: boolean }): Promise<void>
  /** More partitions; there cannot be fewer. */
  grow(name: string, partitions: number, options: { readonly dryRun: boolean }): Promise<void>
  /** Of each partition: -2n the first, -1n the next to be written, else that of the first record at least so late (ms); -1n is none. */
  offsets(name: string, at: bigint): Promise<PartitionOffset[]>
  /** Deletes what lies before these offsets, -1n being all; gives where the partitions begin then. */
  deleteRecords(name: string, before: readonly PartitionOffset[]): Promise<PartitionOffset[]>
  delete(name: string): Promise<void>
  close(): Promise<void>
}

const EARLIEST = -2n
const LATEST = -1n

export function topicAdmin(options: BrokerOptions): TopicAdmin {
  const { bootstrap } = options
  const admin = new Admin(adminOptions(options))
  const asked = async <T>(what: string, question: () => Promise<T>): Promise<T> => {
    try {
      return await question()
    } catch (error) {
      throw kafkaFailure(error, { what, bootstrap })
    }
  }
  const describeTopics = (names: readonly string[]) =>
    admin.metadata({ topics: [...names], autocreateTopics: false, forceUpdate: true })

  /** Fails with TOPIC_NOT_FOUND. */
  async function existing(name: string) {
    // The library waits for a topic that nobody makes, and then gives up with an error of its own.
    const names = await admin.listTopics({ includeInternals: true })
    if (!names.includes(name)) throw new AssayError('TOPIC_NOT_FOUND', { topic: name })
    return (await describeTopics([name])).topics.get(name)!
  }

  async function offsetsAt(name: string, partitions: readonly number[], timestamp: bigint): Promise<PartitionOffset[]> {
    const wanted = partitions.map(partitionIndex => ({ partitionIndex, timestamp }))
    const [listed] = await admin.listOffsets({ topics: [{ name, partitions: wanted }] })
    const found = new Map(listed?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]))
    return partitions.map(partition => ({ partition, offset: found.get(partition) ?? 0n }))
  }

  return {
    list: ({ internal }) =>
      asked('The list of topics', async () => {
        const names = await admin.listTopics({ includeInternals: internal })
        if (names.length === 0) return []
        const { topics } = await describeTopics(names)
        return names.sort().map(name => ({ name, partitions: topics.get(name)?.partitionsCount ?? 0 }))
      }),
    create: ({ name, partitions, configs }) =>
      asked(`Topic '${name}'`, async () => {
        const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
        await admin.createTopics({ topics: [name], partitions, replicas: 1, configs: entries })
      }),
    describe: name =>
      asked(`Topic '${name}'`, async () => {
        const metadata = await existing(name)
        const partitions = metadata.partitions.map((_, index) => index)
        const [earliest, latest] = [await offsetsAt(name, partitions, EARLIEST), await offsetsAt(name, partitions, LATEST)]
        return {
          name,
          id: metadata.id,
          partitions: metadata.partitionsCount,
          records: partitions.map(partition => ({
            partition,
            startOffset: earliest[partition]!.offset,
            endOffset: latest[partition]!.offset
          })),
          configs: await describeConfigs(admin, resourceOf(name))
        }
      }),
    configs: name =>
      asked(`Topic '${name}'`, async () => {
        await existing(name)
        return describeConfigs(admin, resourceOf(name))
      }),
    alter: (name, edits, options) =>
      asked(`Topic '${name}'`, async () => {
        await existing(name)
        await alterConfigs(admin, resourceOf(name), edits, options)
      }),
    grow: (name, partitions, { dryRun }) =>
      asked(`Topic '${name}'`, async () => {
        await existing(name)
        await admin.createPartitions({ topics: [{ name, count: partitions, assignments: null }], validateOnly: dryRun })
      }),
    offsets: (name, at) =>
      asked(`Topic '${name}'`, async () => {
        const { partitions } = await existing(name)
        return offsetsAt(name, [...partitions.keys()], at)
      }),
    deleteRecords: (name, before) =>
      asked(`Topic '${name}'`, async () => {
        await existing(name)
        const [deleted] = await admin.deleteRecords({ topics: [{ name, partitions: [...before] }] })
        return (deleted?.partitions ?? []).map(({ partition, lowWatermark }) => ({ partition, offset: lowWatermark }))
      }),
    delete: name => asked(`Topic '${name}'`, () => admin.deleteTopics({ topics: [name] })),
    close: () => admin.close()
  }
}

const resourceOf = (name: string): ConfigResource => ({ type: ConfigResourceTypes.TOPIC, name })
