/** DescribeConfigs: every setting of a topic or of this broker, with its value, where it comes from, and what it is for. */
import { AssayError } from '@assay/errors'
import type { describeConfigs, RequestOf, ResponseOf } from '@assay/protocol'
import type { Topic } from '../engine.ts'
import { brokerConfigs } from './broker-configs.ts'
import { ALL_BROKERS, type Candidate, SOURCE } from './broker-defaults.ts'
import { topicConfigAliases } from './config-names.ts'
import type { Handler, Level } from './context.ts'
import { refusalOf } from './refusal.ts'
import { type ConfigKind, configTypes, topicConfig, topicConfigNames, topicNameOfBroker } from './topic-configs.ts'
import { checkTopicName } from './topic-name.ts'

type Asked = RequestOf<typeof describeConfigs>['resources'][number]
type Result = ResponseOf<typeof describeConfigs>['results'][number]
export type ConfigEntry = Result['configs'][number]

/** Kafka's `ConfigResource.Type`. */
export const RESOURCE = { topic: 2, broker: 4 } as const

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
    checkTopicName(asked.resourceName)
    const topic = level.topics.get({ name: asked.resourceName })
    if (topic === undefined) throw new AssayError('TOPIC_NOT_FOUND', { topic: asked.resourceName })
    return configEntries(level, topic).filter(wanted)
  }
  if (asked.resourceType !== RESOURCE.broker) {
    throw new AssayError('INVALID_REQUEST', { reason: `Resources of type ${asked.resourceType} have no settings here.` })
  }
  if (asked.resourceName === ALL_BROKERS) return allBrokersEntries(level).filter(wanted)
  if (asked.resourceName !== String(level.nodeId)) {
    throw new AssayError('INVALID_REQUEST', { reason: `This is broker ${level.nodeId}, not ${asked.resourceName}.` })
  }
  return brokerConfigs(level)
    .map(config => entryOf(config.name, config, config.candidates, config.isReadOnly))
    .filter(wanted)
}

/** What was set for all brokers, and nothing else: Kafka answers the same. */
function allBrokersEntries({ defaults }: Level): ConfigEntry[] {
  return [...defaults.setIn(ALL_BROKERS)].map(([name, value]) => {
    const config = topicConfig(topicNameOfBroker.get(name)!)!
    return entryOf(name, config, [{ name, value, source: SOURCE.allBrokers }])
  })
}

/** Every setting of a topic, the other servers' names for ours included. */
export function configEntries({ defaults }: Level, topic: Topic): ConfigEntry[] {
  const own = topicConfigNames.map((name): ConfigEntry => {
    const explicit = topic.configs.get(name)
    const candidates = defaults.candidates(name)
    if (explicit !== undefined) candidates.unshift({ name, value: explicit, source: SOURCE.topic })
    return entryOf(name, topicConfig(name)!, candidates)
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

/** The first of the candidates is in force. */
function entryOf(
  name: string,
  { kind, says, note }: { readonly kind: ConfigKind; readonly says: string; readonly note?: string },
  candidates: readonly Candidate[],
  readOnly = false
): ConfigEntry {
  const { value, source } = candidates[0]!
  return {
    name,
    value,
    readOnly,
    configSource: source,
    isSensitive: false,
    synonyms: candidates.map(candidate => ({ ...candidate })),
    configType: configTypes[kind],
    documentation: note === undefined ? says : `${says} Here: ${note}`
  }
}
