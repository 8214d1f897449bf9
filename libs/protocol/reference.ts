/** Prints docs/reference/apis.md from the declarations. */
import { apis } from './apis/all.ts'
import { NO_VERSION } from './field.ts'

/** What a client may notice beside Apache Kafka 4.4. Each is a row of test/conformance/topics that says so, or a decision of docs/decisions. */
const differences: readonly (readonly [api: string, text: string])[] = [
  [
    'Produce',
    'Bytes behind the one batch of a partition, attributes without a meaning and a time of the append from the producer are INVALID_RECORD; Kafka takes them. An unknown codec is UNSUPPORTED_COMPRESSION_TYPE.'
  ],
  [
    'Produce',
    'A batch that was sent before is answered with its first offset and, under CreateTime, without a time of the append.'
  ],
  ['Fetch', 'No sessions are kept (KIP-227): each answer is a whole one.'],
  ['ListOffsets', 'A record that was deleted is never told as the one with the largest timestamp.'],
  [
    'Metadata, Fetch, ListOffsets, OffsetForLeaderEpoch',
    'The leader epoch is 0 for ever (docs/decisions/011-one-leader-epoch.md).'
  ],
  [
    'DescribeConfigs, AlterConfigs, IncrementalAlterConfigs',
    'Topics and brokers have settings; groups, loggers and client metrics have none. More in topic-settings.md.'
  ]
]

export function renderApis(): string {
  const rows = apis.map(({ key, name, versions, advertised, flexibleSince }) => {
    const told = advertised ? ` (advertised ${advertised.join('-')})` : ''
    return `| ${key} | ${name} | ${versions.join('-')}${told} | ${flexibleSince === NO_VERSION ? '-' : flexibleSince} |`
  })
  return [
    '# Kafka APIs',
    '',
    'Generated from `libs/protocol/apis` by `npm run generate`. What is served, at which versions; flexible: from this version on lengths are compact and',
    'fields may be tagged.',
    '',
    '| key | API | versions | flexible from |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## What differs from Kafka',
    '',
    ...differences.map(([name, text]) => `- ${name}: ${text}`),
    ''
  ].join('\n')
}
