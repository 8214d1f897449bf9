/** Prints docs/reference/topic-settings.md from the table of topic settings. */
import { topicConfigAliases } from './config-names.ts'
import { type Effect, INT_MAX, LONG_MAX, type TopicConfig, topicConfig, topicConfigNames } from './topic-configs.ts'

const effects: Readonly<Record<Effect, string>> = {
  does: 'as in Kafka',
  differs: 'differs',
  kept: 'kept, without effect',
  own: "Assay's own"
}

export function renderTopicSettings(): string {
  const rows = topicConfigNames.map(name => {
    const config = topicConfig(name)!
    const { kind, says, here, note, broker } = config
    const told = note === undefined ? effects[here] : `${effects[here]}: ${note}`
    const cells = [
      code(name),
      kind,
      code(shown(config.default)),
      allowed(config),
      says,
      told,
      broker === undefined ? '' : code(broker)
    ]
    return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  const aliases = topicConfigAliases.map(([name, alias]) => `| ${code(name)} | ${code(alias.of)} |`)
  return [
    '# Topic settings',
    '',
    'Generated from `libs/engine/level/topic-configs.ts` by `npm run generate`. Every setting that Apache Kafka 4.4 knows for a topic, and our own, with what',
    'comes of it here. All of them are taken by CreateTopics, AlterConfigs and IncrementalAlterConfigs, and told by DescribeConfigs; what is kept without',
    'effect is there so that tools and topic definitions written for Kafka work as they are.',
    '',
    'Where a topic sets nothing, the setting of the broker named in the last column stands in. It can be set while the server runs, for this broker or for',
    'all (the empty name), and is in force at once for every topic. `max.message.bytes` can also be set where the server is started (`message-bytes-max`).',
    '',
    'What else differs from Kafka:',
    '',
    '- A name that is no setting is refused with INVALID_CONFIG, and the text tells the nearest name; Kafka takes unknown names of brokers, and lets any name be deleted.',
    '- A value is kept in one spelling: `TRUE` becomes `true`, `compact, delete` becomes `compact,delete`.',
    '- A bad value for a broker is INVALID_CONFIG, as it is for a topic; Kafka answers INVALID_REQUEST.',
    '',
    '| setting | type | default | allowed | what | here | setting of the broker |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Other names',
    '',
    'What Confluent Server and Redpanda call the same; each is read and shown in its own values.',
    '',
    '| name | stands for |',
    '|---|---|',
    ...aliases,
    ''
  ].join('\n')
}

const code = (text: string): string => (text === '' ? 'empty' : `\`${text}\``)
const shown = (value: string): string => (value === LONG_MAX ? '2^63-1' : value)

function allowed({ kind, choices, pattern, min, max, besides }: TopicConfig): string {
  if (choices !== undefined) return choices.map(code).join(', ')
  if (pattern !== undefined) return '`partition:broker`, ..., or `*`'
  if (kind === 'boolean') return '`true`, `false`'
  if (min === undefined && max === undefined) return 'any'
  const top = max === undefined || max === INT_MAX ? '' : ` to ${max}`
  return `${min}${top === '' ? ' and more' : top}${besides === undefined ? '' : `, or ${besides}`}`
}
