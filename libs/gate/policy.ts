/** What a topic asks of its records: read from its settings, Confluent's and Redpanda's names understood. */
import type { Topic } from '@assay/engine'

/** auto: deep as soon as the topic's subject exists. id: a registered schema ID. deep: besides, the payload decodes to its last byte. */
export type Validation = 'auto' | 'off' | 'id' | 'deep'
/** How the subject is named that a schema ID must be registered under. */
export type SubjectNameStrategy = 'TopicNameStrategy' | 'RecordNameStrategy' | 'TopicRecordNameStrategy'
export type Part = 'key' | 'value'

export interface PartPolicy {
  readonly part: Part
  readonly validation: Validation
  readonly strategy: SubjectNameStrategy
  /** The subject under TopicNameStrategy, which `auto` looks for. */
  readonly topicSubject: string
}

export interface TopicPolicy {
  readonly key: PartPolicy
  readonly value: PartPolicy
  /** reject: a bad record refuses its batch. warn: it is stored and counted. */
  readonly action: 'reject' | 'warn'
  /** A compacted topic has no use for a record without a key, and Kafka refuses it too. */
  readonly keyNeeded: boolean
}

const policies = new WeakMap<Topic['configs'], TopicPolicy>()

/** The policy of a topic, worked out once for each set of settings. */
export function policyOf(topic: Topic): TopicPolicy {
  let policy = policies.get(topic.configs)
  if (!policy) {
    policy = {
      key: partPolicy(topic, 'key'),
      value: partPolicy(topic, 'value'),
      action: topic.configs.get('assay.validation.action') === 'warn' ? 'warn' : 'reject',
      keyNeeded: (topic.configs.get('cleanup.policy') ?? '').includes('compact')
    }
    policies.set(topic.configs, policy)
  }
  return policy
}

function partPolicy({ name, configs }: Topic, part: Part): PartPolicy {
  return {
    part,
    validation: validationOf(configs, part),
    strategy: strategyOf(
      configs.get(`assay.${part}.subject.name.strategy`) ??
        configs.get(`confluent.${part}.subject.name.strategy`) ??
        configs.get(`redpanda.${part}.subject.name.strategy`)
    ),
    topicSubject: `${name}-${part}`
  }
}

function validationOf(configs: Topic['configs'], part: Part): Validation {
  const own = configs.get(`assay.${part}.validation`)
  if (own === 'off' || own === 'id' || own === 'deep' || own === 'auto') return own
  // Confluent Server and Redpanda look at the ID alone; a topic definition that says so keeps its meaning.
  const alias = configs.get(`confluent.${part}.schema.validation`) ?? configs.get(`redpanda.${part}.schema.id.validation`)
  if (alias === 'true') return 'id'
  if (alias === 'false') return 'off'
  return 'auto'
}

/** Confluent names its strategies by Java class, Redpanda by the bare class name. */
function strategyOf(text: string | undefined): SubjectNameStrategy {
  const name = text?.slice(text.lastIndexOf('.') + 1)
  return name === 'RecordNameStrategy' || name === 'TopicRecordNameStrategy' ? name : 'TopicNameStrategy'
}
