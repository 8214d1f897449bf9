/**
 * What stands in for settings that a topic does not make: set while the server runs (Kafka's dynamic broker settings), for this broker or
 * for all, else when it was started, else the table's. They are kept in the metadata log under the broker's names for them.
 */
import type { MetadataLog } from './metadata-log.ts'
import type { LevelOptions } from './options.ts'
import { type ServerDefaults, topicConfig, topicNameOfBroker } from './topic-configs.ts'

/** Kafka's `ConfigSource`. */
export const SOURCE = { topic: 1, broker: 2, allBrokers: 3, staticBroker: 4, default: 5 } as const

/** One of the values that a setting could have, and who says so. */
export interface Candidate {
  /** The topic-level or the broker's name, as the source has it. */
  readonly name: string
  readonly value: string
  readonly source: number
}

/** A node ID, or the empty string for all brokers. */
export type Scope = string
export const ALL_BROKERS: Scope = ''

export interface BrokerDefaults extends ServerDefaults {
  /** What was set in this scope while the server runs, by the broker's names. */
  setIn(scope: Scope): ReadonlyMap<string, string>
  /** What was set in any scope while the server runs, by topic-level names. The same object until it changes. */
  dynamic(): ReadonlyMap<string, string>
  /** Everything that speaks for a topic-level setting but the topic itself, strongest first; never empty. */
  candidates(topicLevelName: string): Candidate[]
  /** `change` gets what is set in the scope and gives what shall be, or fails. Durable when it resolves. */
  configure(
    scope: Scope,
    change: (configs: ReadonlyMap<string, string>) => ReadonlyMap<string, string>,
    options: { readonly validateOnly: boolean }
  ): Promise<void>
}

export interface BrokerDefaultsParts {
  readonly metadataLog: MetadataLog
  readonly nodeId: number
  readonly options: LevelOptions
}

const NOTHING: ReadonlyMap<string, string> = new Map()

export function brokerDefaults({ metadataLog, nodeId, options }: BrokerDefaultsParts): BrokerDefaults {
  const started = startedWith(options)
  const setIn = (scope: Scope): ReadonlyMap<string, string> => metadataLog.metadata.brokerConfigs.get(scope) ?? NOTHING
  let seen: readonly ReadonlyMap<string, string>[] = []
  let dynamic: ReadonlyMap<string, string> = NOTHING

  function dynamicNow(): ReadonlyMap<string, string> {
    const now = [setIn(ALL_BROKERS), setIn(String(nodeId))]
    if (now[0] === seen[0] && now[1] === seen[1]) return dynamic
    seen = now
    const merged = new Map<string, string>()
    // The narrower scope comes last and stands.
    for (const configs of now) {
      for (const [broker, value] of configs) {
        const name = topicNameOfBroker.get(broker)
        // A later version may know names that this one does not.
        if (name !== undefined) merged.set(name, value)
      }
    }
    dynamic = merged.size === 0 ? NOTHING : merged
    return dynamic
  }

  return {
    setIn,
    dynamic: dynamicNow,
    get: name => dynamicNow().get(name) ?? started.get(name),
    candidates(name) {
      const config = topicConfig(name)!
      const broker = config.broker ?? name
      const candidates: Candidate[] = []
      for (const [source, scope] of [
        [SOURCE.broker, String(nodeId)],
        [SOURCE.allBrokers, ALL_BROKERS]
      ] as const) {
        const value = setIn(scope).get(broker)
        if (value !== undefined) candidates.push({ name: broker, value, source })
      }
      const atStart = started.get(name)
      if (atStart !== undefined) candidates.push({ name: broker, value: atStart, source: SOURCE.staticBroker })
      candidates.push({ name: broker, value: config.default, source: SOURCE.default })
      return candidates
    },
    async configure(scope, change, { validateOnly }) {
      await metadataLog.change(() => {
        const configs = change(setIn(scope))
        return { records: validateOnly ? [] : [{ type: 'broker-configs', scope, configs }], result: () => undefined }
      })
    }
  }
}

/** By topic-level name, what the server was started with, where that is not the table's default. */
function startedWith(options: LevelOptions): ReadonlyMap<string, string> {
  const given = [['max.message.bytes', String(options.messageBytesMax)]] as const
  return new Map(given.filter(([name, value]) => topicConfig(name)!.default !== value))
}

/** The settings of a topic with those beneath it that were set for all topics while the server runs. */
export function withDynamic(configs: ReadonlyMap<string, string>, defaults: BrokerDefaults): ReadonlyMap<string, string> {
  const dynamic = defaults.dynamic()
  if (dynamic.size === 0) return configs
  return new Map([...dynamic, ...configs])
}
