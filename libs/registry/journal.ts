/**
 * Records of the `_schemas` partition: the bytes of keys and values as Confluent's registry writes them, and what they mean.
 * Layout: docs/formats/schemas-topic.md. What cannot be read is told to the caller, never thrown: one odd record must not stop a registry.
 */
import { type Change, type ConfigValue, type Mode, modes, NUMBER_MAX } from './changes.ts'
import { type Content, fingerprintOf, isMetadata, isRuleSet, orderedRuleSet, type Reference, sortedMetadata } from './content.ts'
import { DEFAULT_CONTEXT, normalizedName } from './qualified.ts'
import { AVRO } from './schema-type.ts'

export interface JournalRecord {
  readonly key: Buffer
  /** Null is a tombstone. */
  readonly value: Buffer | null
}

/** The only one in an open registry. */
const TENANT = 'default'

/** Fields of a CONFIG value in the order in which they are written. */
const CONFIG_FIELDS = [
  'alias',
  'aliasForDeks',
  'normalize',
  'validateFields',
  'validateNewSchemas',
  'validateRules',
  'compatibilityLevel',
  'compatibilityPolicy',
  'compatibilityGroup',
  'defaultMetadata',
  'overrideMetadata',
  'defaultRuleSet',
  'overrideRuleSet'
]

export function encodeChange(change: Change): JournalRecord {
  switch (change.type) {
    case 'schema':
      return { key: schemaKey(change.subject, change.version), value: json(schemaValue(change)) }
    case 'tombstone':
      return { key: schemaKey(change.subject, change.version), value: null }
    case 'deleteSubject':
      return {
        key: json({ keytype: 'DELETE_SUBJECT', subject: change.subject, magic: 0 }),
        value: json({ subject: change.subject, version: change.upTo })
      }
    case 'clearSubject':
      return {
        key: json({ keytype: 'CLEAR_SUBJECT', subject: change.subject, magic: 0 }),
        value: json({ subject: change.subject })
      }
    case 'context': {
      const fields = { tenant: TENANT, context: change.context }
      return { key: json({ keytype: 'CONTEXT', ...fields, magic: 0 }), value: change.exists ? json(fields) : null }
    }
    case 'config':
      return {
        key: json({ keytype: 'CONFIG', subject: change.subject, magic: 0 }),
        value: change.config === undefined ? null : json({ ...subjectField(change.subject), ...inOrder(change.config) })
      }
    case 'mode':
      return {
        key: json({ keytype: 'MODE', subject: change.subject, magic: 0 }),
        value: change.mode === undefined ? null : json({ ...subjectField(change.subject), mode: change.mode })
      }
    case 'maxId':
      return {
        key: json({ keytype: 'NOOP', ...(change.context !== DEFAULT_CONTEXT && { context: change.context }), magic: 0 }),
        value: json({ maxId: change.maxId })
      }
  }
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
const schemaKey = (subject: string, version: number): Buffer => json({ keytype: 'SCHEMA', subject, version, magic: 1 })
const subjectField = (subject: string | null): object => (subject === null ? {} : { subject })

function schemaValue({ subject, version, id, content, deleted }: Change & { type: 'schema' }): object {
  return {
    subject,
    version,
    id,
    md5: Buffer.from(fingerprintOf(content), 'hex').toString('base64'),
    // The one type whose name is not written.
    ...(content.schemaType !== AVRO && { schemaType: content.schemaType }),
    ...(content.references.length > 0 && { references: content.references }),
    ...(content.metadata && { metadata: content.metadata }),
    ...(content.ruleSet && { ruleSet: content.ruleSet }),
    schema: content.text,
    deleted
  }
}

function inOrder(config: ConfigValue): Record<string, unknown> {
  const ordered: Record<string, unknown> = {}
  for (const name of CONFIG_FIELDS) if (config[name] !== undefined) ordered[name] = config[name]
  for (const [name, value] of Object.entries(config)) if (!CONFIG_FIELDS.includes(name)) ordered[name] = value
  return ordered
}

/** A record that says nothing (NOOP, keys of features that are not served) reads as undefined, an unreadable one as its fault. */
export type Decoded = Change | undefined | { readonly type: 'unreadable'; readonly reason: string }

export function decodeRecord({ key, value }: { readonly key: Buffer | null; readonly value: Buffer | null }): Decoded {
  const keyFields = key && parseObject(key)
  if (!keyFields) return unreadable('the key is not a JSON object')
  const fields = value === null ? null : parseObject(value)
  if (fields === undefined) return unreadable('the value is not a JSON object')
  const named = keyFields['subject']
  const subject = typeof named === 'string' && named !== '' ? normalizedName(named) : null
  switch (keyFields['keytype']) {
    case 'SCHEMA':
      return subject === null ? unreadable('a SCHEMA key without subject') : readSchema(subject, keyFields['version'], fields)
    case 'DELETE_SUBJECT':
      if (subject === null || fields === null) return undefined
      return isCount(fields['version']) ? { type: 'deleteSubject', subject, upTo: fields['version'] } : unreadable('no version')
    case 'CLEAR_SUBJECT':
      return fields === null ? undefined : { type: 'clearSubject', subject }
    case 'CONFIG':
      return { type: 'config', subject, config: fields === null ? undefined : readConfig(fields) }
    case 'MODE':
      return readMode(subject, fields)
    case 'NOOP': {
      const { context = DEFAULT_CONTEXT } = keyFields
      if (fields === null || !isCount(fields['maxId']) || typeof context !== 'string') return undefined
      return { type: 'maxId', context, maxId: fields['maxId'] }
    }
    case 'CONTEXT': {
      const { context } = keyFields
      return typeof context === 'string'
        ? { type: 'context', context, exists: fields !== null }
        : unreadable('a CONTEXT key without context')
    }
    case 'ASSOC':
      return undefined
    default:
      return unreadable(`keytype ${JSON.stringify(keyFields['keytype'])} is not known`)
  }
}

const unreadable = (reason: string): Decoded => ({ type: 'unreadable', reason })

function readSchema(subject: string, version: unknown, fields: Fields | null): Decoded {
  if (!isCount(version) || version === 0) return unreadable('a SCHEMA key without version')
  if (fields === null) return { type: 'tombstone', subject, version }
  const { id, schema: text, schemaType, deleted } = fields
  if (!isCount(id)) return unreadable('a SCHEMA value without ID')
  if (typeof text !== 'string') return unreadable('a SCHEMA value without schema text')
  const references = readReferences(fields['references'])
  if (references === undefined) return unreadable('references are not a list of name, subject and version')
  const metadata = fields['metadata'] ?? undefined
  const ruleSet = fields['ruleSet'] ?? undefined
  if (metadata !== undefined && !isMetadata(metadata)) return unreadable('metadata of another shape')
  if (ruleSet !== undefined && !isRuleSet(ruleSet)) return unreadable('a rule set of another shape')
  const content: Content = {
    schemaType: typeof schemaType === 'string' ? schemaType : AVRO,
    text,
    references,
    metadata: sortedMetadata(metadata),
    ruleSet: orderedRuleSet(ruleSet)
  }
  return { type: 'schema', subject, version, id, content, deleted: deleted === true }
}

function readReferences(value: unknown): Reference[] | undefined {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return undefined
  const references: Reference[] = []
  for (const item of value as unknown[]) {
    if (!isFields(item)) return undefined
    const { name, subject, version } = item
    if (typeof name !== 'string' || typeof subject !== 'string' || !isCount(version)) return undefined
    references.push({ name, subject, version })
  }
  return references
}

/** Old records hold `compatibilityLevel` alone; the subject is the key's business. */
function readConfig(fields: Fields): ConfigValue {
  const { subject: _subject, offset: _offset, ts: _ts, ...config } = fields
  return config
}

function readMode(subject: string | null, fields: Fields | null): Decoded {
  if (fields === null) return { type: 'mode', subject, mode: undefined }
  const mode = modes.find(known => known === fields['mode'])
  return mode === undefined
    ? unreadable(`mode ${JSON.stringify(fields['mode'])} is not known`)
    : { type: 'mode', subject, mode: mode satisfies Mode }
}

type Fields = Record<string, unknown>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
/** IDs and versions are 32 bits on the wire. */
const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= NUMBER_MAX

function parseObject(bytes: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}
