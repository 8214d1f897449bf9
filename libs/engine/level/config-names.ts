/** The names that clients give settings: Kafka's, our own, and those that Confluent Server and Redpanda have for the same as ours. */
import { nearestName } from '@assay/std'
import { checkedValue, invalidConfig } from './config-values.ts'
import { type ConfigKind, configOf, type ServerDefaults, strategies, topicConfig, topicConfigNames } from './topic-configs.ts'

/** Another name for one of our settings: how its values are read and shown. */
export interface ConfigAlias {
  readonly of: string
  readonly kind: ConfigKind
  /** The value of ours that a value under this name stands for; undefined when it stands for none. */
  readonly read: (value: string) => string | undefined
  readonly show: (value: string) => string
}

function aliasesOf(side: 'key' | 'value'): [string, ConfigAlias][] {
  const validation: ConfigAlias = {
    of: `assay.${side}.validation`,
    kind: 'boolean',
    read: value => ({ true: 'id', false: 'off' })[value.toLowerCase()],
    show: value => String(value === 'id' || value === 'deep')
  }
  const strategy = (prefix: string): ConfigAlias => ({
    of: `assay.${side}.subject.name.strategy`,
    kind: 'string',
    // Confluent names Java classes, in two packages over the years; the last part is the strategy.
    read: value => strategies.find(name => value === name || value.endsWith(`.${name}`)),
    show: value => `${prefix}${value}`
  })
  return [
    [`confluent.${side}.schema.validation`, validation],
    [`confluent.${side}.subject.name.strategy`, strategy('io.confluent.kafka.serializers.subject.')],
    [`redpanda.${side}.schema.id.validation`, validation],
    [`redpanda.${side}.subject.name.strategy`, strategy('')]
  ]
}

const aliases: ReadonlyMap<string, ConfigAlias> = new Map([...aliasesOf('key'), ...aliasesOf('value')])

export const topicConfigAliases: readonly (readonly [string, ConfigAlias])[] = [...aliases]

/** Text for a name that is none, with the one that may have been meant. */
export function unknownName(name: string, what: string, names: readonly string[]): string {
  const near = nearestName(name, names)
  return `${what} has a setting of this name${near === undefined ? '' : `. Did you mean ${near}?`}`
}

/** The setting that a name stands for, itself or by alias. Fails with INVALID_CONFIG when there is none. */
export function canonicalName(name: string): string {
  const canonical = aliases.get(name)?.of ?? name
  if (topicConfig(canonical) !== undefined) return canonical
  throw invalidConfig(name, unknownName(name, 'no topic', [...topicConfigNames, ...aliases.keys()]))
}

/** The setting and value that a name and value given by a client stand for. Fails with INVALID_CONFIG. */
export function readTopicConfig(name: string, value: string): readonly [name: string, value: string] {
  const alias = aliases.get(name)
  if (alias === undefined) return [canonicalName(name), checkedValue(name, topicConfig(canonicalName(name))!, value)]
  const read = alias.read(value)
  if (read === undefined) throw invalidConfig(name, `${JSON.stringify(value)} is none of its values`)
  return [alias.of, read]
}

/** The explicit settings that a client gives a topic. Fails with INVALID_CONFIG, also when two names of one setting disagree. */
export function readTopicConfigs(
  given: readonly { readonly name: string; readonly value: string | null }[]
): ReadonlyMap<string, string> {
  const configs = new Map<string, string>()
  for (const { name, value } of given) {
    if (value === null) throw invalidConfig(name, 'it has no value')
    const [canonical, read] = readTopicConfig(name, value)
    const other = configs.get(canonical)
    if (other !== undefined && other !== read) {
      throw invalidConfig(name, `it stands for ${canonical}, which is given as ${other} too`)
    }
    configs.set(canonical, read)
  }
  return configs
}

/** What no setting says by itself: settings that contradict each other. Fails with INVALID_CONFIG. */
export function checkTogether(configs: ReadonlyMap<string, string>, serverDefaults: ServerDefaults): void {
  const [least, most] = ['min.compaction.lag.ms', 'max.compaction.lag.ms'].map(name => configOf(configs, name, serverDefaults))
  if (BigInt(least!) <= BigInt(most!)) return
  throw invalidConfig('min.compaction.lag.ms', `${least} is more than max.compaction.lag.ms, which is ${most}`)
}
