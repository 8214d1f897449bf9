/** A cluster as an operator looks at it, over the Kafka protocol: its brokers, what they can do, what partitions occupy, settings of all brokers. */
import { AssayError } from '@assay/errors'
import {
  Admin,
  apiVersionsV4,
  ConfigResourceTypes,
  type Connection,
  describeClusterV1,
  describeLogDirsV4
} from '@platformatic/kafka'
import { adminOptions, type BrokerOptions } from './broker-access.ts'
import { alterConfigs, type Config, type ConfigEdit, describeConfigs } from './configs.ts'
import { kafkaFailure } from './kafka-failure.ts'

export interface ClusterDescription {
  readonly clusterId: string
  readonly controllerId: number
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number; readonly rack: string | null }[]
}

export interface ClusterFeature {
  readonly name: string
  /** In force; null for one that could be and is not. */
  readonly level: number | null
  readonly supported: readonly [min: number, max: number]
}

export interface ClusterApi {
  readonly key: number
  readonly name: string
  readonly versions: readonly [min: number, max: number]
}

export interface LogDir {
  readonly path: string
  /** Of the volume it is on; undefined where the broker does not say. */
  readonly totalBytes: bigint | undefined
  readonly usableBytes: bigint | undefined
  readonly partitions: readonly { readonly topic: string; readonly partition: number; readonly bytes: bigint }[]
}

/** Every method fails with UNREACHABLE when no broker answers, and with PEER_REFUSED carrying the broker's code and text. */
export interface ClusterAdmin {
  describe(): Promise<ClusterDescription>
  features(): Promise<{ readonly features: ClusterFeature[]; readonly apis: ClusterApi[] }>
  /** Of the broker that is asked. */
  logDirs(): Promise<LogDir[]>
  /** Settings of one broker as they are in force there; of the one that is asked when no ID is given. */
  configs(brokerId?: string): Promise<Config[]>
  /** All of the changes or none: for one broker, or for all of them when no ID is given. */
  alter(edits: readonly ConfigEdit[], options: { readonly brokerId?: string; readonly dryRun: boolean }): Promise<void>
  close(): Promise<void>
}

const CLIENT = { name: 'assay', version: '1' }
const BROKERS = 1

export function clusterAdmin(options: BrokerOptions): ClusterAdmin {
  const { bootstrap } = options
  const admin = new Admin(adminOptions(options))
  const at = bootstrap.lastIndexOf(':')
  const broker = { host: bootstrap.slice(0, at), port: Number(bootstrap.slice(at + 1)) }
  const asked = async <T>(what: string, question: (connection: Connection) => Promise<T>): Promise<T> => {
    try {
      return await question(await admin.connections.getFirstAvailable([broker]))
    } catch (error) {
      throw kafkaFailure(error, { what, bootstrap })
    }
  }

  async function describe(): Promise<ClusterDescription> {
    return asked('The cluster', async connection => {
      const { clusterId, controllerId, brokers } = await describeClusterV1.api.async(connection, false, BROKERS)
      return {
        clusterId,
        controllerId,
        brokers: brokers.map(({ brokerId, host, port, rack }) => ({ id: brokerId, host, port, rack: rack ?? null }))
      }
    })
  }

  /** The broker of this ID, or the one that is asked: a cluster of one has no other. Fails with INVALID_ARGUMENT. */
  async function brokerOf(id: string | undefined): Promise<string> {
    const { brokers } = await describe()
    if (id !== undefined && !brokers.some(known => String(known.id) === id)) {
      const ids = brokers.map(known => known.id).join(', ')
      throw new AssayError('INVALID_ARGUMENT', { reason: `there is no broker ${id} in the cluster; there is ${ids}` })
    }
    if (id !== undefined) return id
    const found = brokers.find(({ host, port }) => host === broker.host && port === broker.port) ?? brokers[0]
    if (found === undefined)
      throw new AssayError('PEER_REFUSED', { what: bootstrap, status: 'no broker', reason: 'it names none' })
    return String(found.id)
  }

  return {
    describe,
    features: () =>
      asked('The features', async connection => {
        const told = await apiVersionsV4.api.async(connection, CLIENT.name, CLIENT.version)
        const levels = new Map((told.finalizedFeatures ?? []).map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
        return {
          features: (told.supportedFeatures ?? []).map(({ name, minVersion, maxVersion }) => ({
            name,
            level: levels.get(name) ?? null,
            supported: [minVersion, maxVersion]
          })),
          apis: told.apiKeys.map(({ apiKey, name, minVersion, maxVersion }) => ({
            key: apiKey,
            name: name ?? `API ${apiKey}`,
            versions: [minVersion, maxVersion]
          }))
        }
      }),
    logDirs: () =>
      asked('The log directories', async connection => {
        // All topics are asked for by null, which the library does not know.
        const topics = await admin.listTopics({ includeInternals: true })
        const { topics: metadata } = await admin.metadata({ topics, forceUpdate: true })
        const wanted = topics.map(name => ({
          name,
          partitions: [...Array(metadata.get(name)?.partitionsCount ?? 0).keys()]
        }))
        const { results } = await describeLogDirsV4.api.async(connection, wanted)
        return results.map(({ logDir, topics: told, totalBytes, usableBytes }) => ({
          path: logDir,
          totalBytes: totalBytes < 0n ? undefined : totalBytes,
          usableBytes: usableBytes < 0n ? undefined : usableBytes,
          partitions: told.flatMap(({ name, partitions }) =>
            partitions.map(({ partitionIndex, partitionSize }) => ({
              topic: name,
              partition: partitionIndex,
              bytes: partitionSize
            }))
          )
        }))
      }),
    configs: brokerId =>
      asked('The settings of the broker', async () =>
        describeConfigs(admin, { type: ConfigResourceTypes.BROKER, name: await brokerOf(brokerId) })
      ),
    alter: (edits, { brokerId, dryRun }) =>
      asked('The settings of the broker', async () => {
        // All of them have no name.
        const name = brokerId === undefined ? '' : await brokerOf(brokerId)
        await alterConfigs(admin, { type: ConfigResourceTypes.BROKER, name }, edits, { dryRun })
      }),
    close: () => admin.close()
  }
}
