/** What Kafka takes as the name of a topic, and the names that belong to the server itself. */
import { AssayError } from '@assay/errors'

export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTIONS_TOPIC = '__transaction_state'
export const SCHEMAS_TOPIC = '_schemas'

/** Topics that the server writes: clients may read them, and neither produce to them nor change or delete them. */
export const isOwnTopic = (name: string): boolean =>
  name === OFFSETS_TOPIC || name === TRANSACTIONS_TOPIC || name === SCHEMAS_TOPIC

/** Kafka's `isInternal`: hidden from pattern subscriptions. `_schemas` is an ordinary topic to every client. */
export const isInternalTopic = (name: string): boolean => name === OFFSETS_TOPIC || name === TRANSACTIONS_TOPIC

const NAME_MAX = 249

/** Fails with INVALID_TOPIC, worded for whoever sent the name. */
export function checkTopicName(name: string): void {
  const refuse = (reason: string): AssayError => new AssayError('INVALID_TOPIC', { topic: name.slice(0, NAME_MAX + 1), reason })
  if (name === '') throw refuse('it is empty')
  if (name === '.' || name === '..') throw refuse('"." and ".." are not allowed')
  if (name.length > NAME_MAX) throw refuse(`it is longer than ${NAME_MAX} characters`)
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) throw refuse('only ASCII letters, digits, ".", "_" and "-" are allowed')
}

/** Names that Kafka's metrics cannot tell apart. */
export const collisionKey = (name: string): string => name.replaceAll('.', '_')
