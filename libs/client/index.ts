export { Decimal, DecodeFault, type Duration, frame, framedId } from '@assay/avro'
export { AssayError, isAssayError } from '@assay/errors'
export { type AvroType, type AvroTypeParts, avroType, type Boxed, type Tagged } from './avro-type.ts'
export { openBackup } from './backup.ts'
export type { BrokerAccess, BrokerOptions } from './broker-access.ts'
export {
  type ClusterAdmin,
  type ClusterApi,
  type ClusterDescription,
  type ClusterFeature,
  clusterAdmin,
  type LogDir
} from './cluster-admin.ts'
export type { Config, ConfigEdit } from './configs.ts'
export {
  type ConsumedEvent,
  type Consumer,
  type ConsumerOptions,
  consumer,
  type RecordFacts,
  type Undecodable
} from './consumer.ts'
export {
  type EventsClient,
  eventsClient,
  type FollowedEvent,
  type JsonEvent,
  type JsonPage,
  type ReadPosition,
  type SchemaChoice,
  type StoredJsonEvent
} from './events.ts'
export {
  type CommittedOffset,
  type GroupAdmin,
  type GroupDescription,
  type GroupMemberDescription,
  type GroupOffset,
  type GroupSummary,
  groupAdmin
} from './group-admin.ts'
export type { HttpAuth, HttpOptions } from './http.ts'
export { kafkaFailure } from './kafka-failure.ts'
export { type Event, type Producer, type ProducerOptions, producer, type Sent } from './producer.ts'
export { type Quota, type QuotaAdmin, type QuotaEntity, quotaAdmin } from './quota-admin.ts'
export {
  type CompatibilityOptions,
  type DeletedFilter,
  type FormatOptions,
  type Page,
  type RegisterOptions,
  type RegistryClient,
  refusedWith,
  registryClient,
  type SchemaIdOptions,
  type SchemasOptions,
  type VersionNumber
} from './registry.ts'
export {
  type CompatibilityAnswer,
  type CompatibilityFinding,
  type CompatibilityLevel,
  type CompatibilityWarning,
  type ContextId,
  type EntityTags,
  type IdentifiedSchema,
  type Metadata,
  type Reference,
  type RegisteredVersion,
  type Registration,
  type RegistryConfig,
  type RegistryMode,
  type Rule,
  type RuleSet,
  registryConfigFields,
  type SchemaText,
  type ServerVersion,
  type SubjectVersion,
  type TagChange
} from './registry-shapes.ts'
export {
  type NewTopic,
  type PartitionOffset,
  type TopicAdmin,
  type TopicDescription,
  type TopicSummary,
  topicAdmin
} from './topic-admin.ts'
export type { KeyInitOf, KeyOf, TopicCodecs, TopicMap, TopicName, ValueInitOf, ValueOf } from './topic-map.ts'
export { type RawRecord, readTopic } from './topic-reader.ts'
export {
  type HangingTransaction,
  type PartitionPlace,
  type PartitionTransaction,
  type ProducerDescription,
  type TransactionAdmin,
  type TransactionDescription,
  type TransactionFilter,
  type TransactionSummary,
  transactionAdmin,
  UNDER_WAY
} from './transaction-admin.ts'
export type { TlsOptions } from './transport.ts'
