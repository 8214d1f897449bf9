/** DescribeConfigs: every setting of a topic or of this broker, with its value, where it comes from, and what it is for. */
import { AssayError } from '@assay/errors'
import type { describeConfigs, RequestOf, ResponseOf } from '@assay/protocol'
import type { Topic } from '../engine.ts'
import { brokerConfigs, serverTopicDefaults } from './broker-configs.ts'
import type { Handler, Level } from './context.ts'
import { refusalOf } from './refusal.ts'
import { configTypes, topicConfig, topicConfigAliases, topicConfigNames } from './topic-configs.ts'

type Asked = RequestOf<typeof describeConfigs>['resources'][number]
type Result = ResponseOf<typeof describeConfigs>['results'][number]
export type ConfigEntry = Result['configs'][number]

/** Kafka's `ConfigResource.Type`. */
export const RESOURCE = { topic: 2, broker: 4 } as const
/** Kafka's `ConfigSource`. */
const SOURCE = { topic: 1, staticBroker: 4, default: 5 } as const

export const answerDescribeConfigs: Handler<typeof describeConfigs> = (level, { body }) => ({
  throttleTimeMs: 0,
  results: body.resources.map((asked): Result => {
    const { resourceType, resourceName } = asked
    try {
      const configs = entriesOf(level, asked).map(entry => ({
        ...entry,
        synonyms: body.includeSynonyms ? entry.synonyms : [],
        documentation: body.includeDocumentation ? entry.documentation : null
      }))
      return { errorCode: 0, errorMessage: null, resourceType, resourceName, configs }
    } catch (error) {
      return { ...refusalOf(error), resourceType, resourceName, configs: [] }
    }
  })
})

function entriesOf(level: Level, asked: Asked): ConfigEntry[] {
  const keys = asked.configurationKeys
  const wanted = (entry: ConfigEntry): boolean => keys === null || keys.length === 0 || keys.includes(entry.name)
  if (asked.resourceType === RESOURCE.topic) {
    const topic = level.topics.get({ name: asked.resourceName })
    if (topic === undefined) throw new AssayError('TOPIC_NOT_FOUND', { topic: asked.resourceName })
    return configEntries(level, topic).filter(wanted)
  }
  if (asked.resourceType === RESOURCE.broker) {
    // The empty name asks for what all brokers share; there is nothing of that kind.
    if (asked.resourceName === '') return []
    if (asked.resourceName !== String(level.nodeId)) {
      throw new AssayError('INVALID_REQUEST', { reason: `This is broker ${level.nodeId}, not ${asked.resourceName}.` })
    }
    return brokerConfigs(level.nodeId, level.options)
      .map(
        ({ name, kind, value, says }): ConfigEntry => ({
          name,
          value,
          readOnly: true,
          configSource: SOURCE.staticBroker,
          isSensitive: false,
          synonyms: [{ name, value, source: SOURCE.staticBroker }],
          configType: configTypes[kind],
          documentation: says
        })
      )
      .filter(wanted)
  }
  throw new AssayError('INVALID_REQUEST', { reason: `Resources of type ${asked.resourceType} have no settings here.` })
}

/** Every setting of a topic, the other servers' names for ours included. */
export function configEntries(level: Level, topic: Topic): ConfigEntry[] {
  const serverDefaults = serverTopicDefaults(level.options)
  const own = topicConfigNames.map((name): ConfigEntry => {
    const config = topicConfig(name)!
    const explicit = topic.configs.get(name)
    const serverDefault = serverDefaults.get(name)
    const synonyms = []
    if (explicit !== undefined) synonyms.push({ name, value: explicit, source: SOURCE.topic })
    if (serverDefault !== undefined) synonyms.push({ name, value: serverDefault, source: SOURCE.staticBroker })
    synonyms.push({ name, value: config.default, source: SOURCE.default })
    const { value, source } = synonyms[0]!
    return {
      name,
      value,
      readOnly: false,
      configSource: source,
      isSensitive: false,
      synonyms,
      configType: configTypes[config.kind],
      documentation: config.says
    }
  })
  const aliases = topicConfigAliases.map(([name, alias]): ConfigEntry => {
    const entry = own.find(one => one.name === alias.of)!
    return {
      ...entry,
      name,
      value: alias.show(entry.value!),
      configType: configTypes[alias.kind],
      documentation: `Another name of ${alias.of}. ${entry.documentation}`
    }
  })
  return [...own, ...aliases]
}
