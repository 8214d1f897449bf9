/** Topics as an operator handles them, over the Kafka protocol: any broker answers. */
import { AssayError } from '@assay/errors'
import { Admin, ConfigResourceTypes } from '@platformatic/kafka'
import { kafkaFailure } from './kafka-failure.ts'

export interface TopicSummary {
  readonly name: string
  readonly partitions: number
}

export interface TopicConfig {
  readonly name: string
  readonly value: string | null
  /** True when nobody set it for this topic. */
  readonly isDefault: boolean
}

export interface TopicDescription extends TopicSummary {
  readonly id: string
  readonly records: readonly { readonly partition: number; readonly startOffset: bigint; readonly endOffset: bigint }[]
  readonly configs: readonly TopicConfig[]
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
  delete(name: string): Promise<void>
  close(): Promise<void>
}

const EARLIEST = -2n
const LATEST = -1n

/** `bootstrap` is HOST:PORT of any broker of the cluster. */
export function topicAdmin({ bootstrap, timeoutMs }: { readonly bootstrap: string; readonly timeoutMs: number }): TopicAdmin {
  const admin = new Admin({
    clientId: 'assay',
    bootstrapBrokers: [bootstrap],
    retries: 1,
    retryDelay: 200,
    connectTimeout: timeoutMs,
    timeout: timeoutMs,
    // Asking about a topic must not make it.
    autocreateTopics: false
  })
  const asked = async <T>(what: string, question: () => Promise<T>): Promise<T> => {
    try {
      return await question()
    } catch (error) {
      throw kafkaFailure(error, { what, bootstrap })
    }
  }
  const describeTopics = (names: readonly string[]) =>
    admin.metadata({ topics: [...names], autocreateTopics: false, forceUpdate: true })

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
        // The library waits for a topic that nobody makes, and then gives up with an error of its own.
        const names = await admin.listTopics({ includeInternals: true })
        if (!names.includes(name)) throw new AssayError('TOPIC_NOT_FOUND', { topic: name })
        const metadata = (await describeTopics([name])).topics.get(name)!
        const partitions = metadata.partitions.map((_, index) => index)
        const at = async (timestamp: bigint): Promise<Map<number, bigint>> => {
          const wanted = partitions.map(partitionIndex => ({ partitionIndex, timestamp }))
          const [listed] = await admin.listOffsets({ topics: [{ name, partitions: wanted }] })
          return new Map(listed?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]))
        }
        const [earliest, latest] = [await at(EARLIEST), await at(LATEST)]
        const [described] = await admin.describeConfigs({
          resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: name }]
        })
        return {
          name,
          id: metadata.id,
          partitions: metadata.partitionsCount,
          records: partitions.map(partition => ({
            partition,
            startOffset: earliest.get(partition) ?? 0n,
            endOffset: latest.get(partition) ?? 0n
          })),
          configs: (described?.configs ?? []).map(config => ({
            name: config.name,
            value: config.value ?? null,
            isDefault: config.configSource !== TOPIC_CONFIG_SOURCE
          }))
        }
      }),
    delete: name => asked(`Topic '${name}'`, () => admin.deleteTopics({ topics: [name] })),
    close: () => admin.close()
  }
}

/** DYNAMIC_TOPIC_CONFIG of DescribeConfigs: a value that somebody set for the topic. */
const TOPIC_CONFIG_SOURCE = 1
