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
  [
    'Fetch',
    'A fetch session belongs to the principal that opened it, and the partitions of all sessions together are bounded (fetch-session-partitions-max).'
  ],
  ['ListOffsets', 'A record that was deleted is never told as the one with the largest timestamp.'],
  [
    'Metadata, Fetch, ListOffsets, OffsetForLeaderEpoch',
    'The leader epoch is 0 for ever (docs/decisions/011-one-leader-epoch.md).'
  ],
  [
    'ApiVersions, UpdateFeatures',
    'A feature has the one level that is served (transaction.version 2, group.version 1), and is told only when it is; it cannot be lowered. There is no metadata.version, and there are no share groups.'
  ],
  [
    'ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments, DescribeQuorum',
    'Answered as a Kafka cluster of one node answers: there is nobody else to lead, to move to or to vote.'
  ],
  ['DescribeLogDirs', 'One directory; a partition has the bytes of its record batches, without the index.'],
  ['ListConfigResources', 'Topics and the broker; loggers are not listed, for they have no settings.'],
  [
    'ConsumerGroupHeartbeat',
    'The interval is short while partitions move and for ten seconds after. Targets are computed at once, in the request that asks for them. A pattern is not matched against topics of the server itself, and each member is given by its pattern only what it may describe (Kafka: what the member may that was heard from last); of the syntax of RE2 `\\b`, `\\B`, `\\C` and `\\p{...}` are INVALID_REGULAR_EXPRESSION.'
  ],
  [
    'SaslAuthenticate',
    'A failure of OAUTHBEARER is told with its code at once, not in a challenge first. GSSAPI and delegation tokens are not served.'
  ],
  [
    'CreateAcls, DeleteAcls, AlterUserScramCredentials',
    'They change the security file (docs/decisions/014-one-security-file.md). The password of before ends with a new SCRAM credential, at the HTTP door too.'
  ],
  ['AddPartitionsToTxn', 'From version 4 on whoever may write to the transactional ID may send it; in Kafka brokers alone.'],
  [
    'AlterClientQuotas',
    'Of users and client IDs; quotas of addresses are refused. request_percentage is of the one thread of the server: 100 is the whole of it.'
  ],
  ['Fetch', 'Beyond a quota the records still come, and the wait after them is longer; Kafka answers without records first.'],
  [
    'InitProducerId',
    'What a former producer left open is aborted and the new epoch given in one answer; Kafka aborts, and answers CONCURRENT_TRANSACTIONS until that is done. A producer that names an older epoch is fenced without its successor being aborted.'
  ],
  [
    'EndTxn',
    'It is answered when the transaction has ended, not when its end was decided: the next one never meets CONCURRENT_TRANSACTIONS.'
  ],
  ['WriteTxnMarkers', 'Refused with INVALID_TXN_STATE for a transaction that the coordinator has under way.'],
  [
    'DescribeConfigs, AlterConfigs, IncrementalAlterConfigs',
    'Topics, brokers and consumer groups have settings; loggers and client metrics have none. More in topic-settings.md.'
  ]
]

/** What a broker of Kafka 4.4 serves to clients and this one does not: neither advertised nor answered, the connection is closed. */
const absent: readonly (readonly [keys: string, names: string, why: string])[] = [
  ['83-87', 'the state of share groups', 'brokers ask one another for these'],
  ['34', 'AlterReplicaLogDirs', 'there is one directory'],
  [
    '38-41',
    'CreateDelegationToken, RenewDelegationToken, ExpireDelegationToken, DescribeDelegationToken',
    'tokens come by OAUTHBEARER'
  ],
  ['64, 94', 'UnregisterBroker, UnregisterController', 'there is one node'],
  ['71-72', 'GetTelemetrySubscriptions, PushTelemetry', 'there is no receiver; Kafka does not advertise them either without one'],
  [
    '76-79, 90-92',
    'ShareGroupHeartbeat, ShareGroupDescribe, ShareFetch, ShareAcknowledge and offsets of share groups',
    'there are no share groups'
  ],
  ['80-81', 'AddRaftVoter, RemoveRaftVoter', 'there is one voter'],
  [
    '88-89, 93',
    'StreamsGroupHeartbeat, StreamsGroupDescribe, StreamsGroupTopologyDescriptionUpdate',
    'Kafka Streams uses consumer groups'
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
    '## What is not served',
    '',
    '| key | API | why |',
    '|---|---|---|',
    ...absent.map(row => `| ${row.join(' | ')} |`),
    '',
    '## What differs from Kafka',
    '',
    ...differences.map(([name, text]) => `- ${name}: ${text}`),
    ''
  ].join('\n')
}
