/**
 * Tags inside a schema, as Confluent's registry keeps them: an array `confluent:tags` on a record or on a field. They are custom properties
 * like others: they count in canonical text, in their order, and mean nothing to the encoding.
 */
import { AssayError } from '@assay/errors'
import { parseJson } from './json.ts'
import { isJsonArray, isJsonNumber, isJsonObject, printJson } from './json-text.ts'
import { fullNameOf } from './names.ts'
import type { Json, Schema } from './schema.ts'
import { namespaceOf, shortName } from './schema.ts'

export interface SchemaEntity {
  /** Full name of a record, for a field with a dot and its name behind: `ns.Order`, `ns.Order.items`. */
  readonly entityPath: string
  readonly entityType: 'sr_record' | 'sr_field'
}

export interface SchemaTags {
  readonly schemaEntity: SchemaEntity
  readonly tags: readonly string[]
}

const TAGS = 'confluent:tags'

/**
 * The schema text with tags added, then others removed; what is left without tags loses the array. Tags stand in the order in which
 * they came, each once. The text must be one that parseSchema accepts and is not yet canonical after the change.
 * A path without namespace, or with that of the root, finds the nearest record of the short name where no full name fits, as at Confluent.
 * Throws INVALID_SCHEMA for a path that leads nowhere.
 */
export function withTags(text: string, tagsToAdd: readonly SchemaTags[], tagsToRemove: readonly SchemaTags[]): string {
  const root = parseJson(text)
  const changes = new Map<string, { entity: SchemaEntity; add: Set<string>; remove: Set<string> }>()
  for (const [key, list] of [['add', tagsToAdd] as const, ['remove', tagsToRemove] as const]) {
    for (const { schemaEntity, tags } of list) {
      const name = `${schemaEntity.entityType} ${pathOf(schemaEntity)}`
      const change = changes.get(name) ?? { entity: schemaEntity, add: new Set(), remove: new Set() }
      changes.set(name, change)
      for (const tag of tags) change[key].add(tag)
    }
  }
  const records = recordsOf(root)
  for (const { entity, add, remove } of changes.values()) {
    const target = find(entity, records)
    const tags = [...new Set([...textsOf(target.get(TAGS)), ...add])].filter(tag => !remove.has(tag))
    if (tags.length === 0) target.delete(TAGS)
    else target.set(TAGS, tags)
  }
  return printJson(root)
}

/** The tags inside a schema and the types it refers to, in the order of its text. */
export function tagsOf(schema: Schema): SchemaTags[] {
  const found: SchemaTags[] = []
  const seen = new Set<Schema>()
  const note = (properties: ReadonlyMap<string, Json>, schemaEntity: SchemaEntity): void => {
    const tags = textsOf(properties.get(TAGS))
    if (tags.length > 0) found.push({ schemaEntity, tags: [...new Set(tags)] })
  }
  const walk = (type: Schema): void => {
    if (type.kind === 'union') type.branches.forEach(walk)
    else if (type.kind === 'array') walk(type.items)
    else if (type.kind === 'map') walk(type.values)
    else if (type.kind === 'record' && !seen.has(type)) {
      seen.add(type)
      note(type.properties, { entityPath: type.name, entityType: 'sr_record' })
      for (const field of type.fields) {
        note(field.properties, { entityPath: `${type.name}.${field.name}`, entityType: 'sr_field' })
        walk(field.type)
      }
    }
  }
  walk(schema)
  return found
}

/** One leading dot says only that there is no namespace. */
const pathOf = ({ entityPath }: SchemaEntity): string => (entityPath.startsWith('.') ? entityPath.slice(1) : entityPath)

function textsOf(value: Json | undefined): readonly string[] {
  if (!isJsonArray(value)) return []
  return value
    .filter(item => !isJsonArray(item) && !isJsonObject(item))
    .map(item => (typeof item === 'string' ? item : printJson(item)))
}

interface FoundRecord {
  readonly name: string
  readonly json: Map<string, Json>
}

/** The records that the text defines, the nearest to the root first. */
function recordsOf(root: Json): readonly FoundRecord[] {
  const found: FoundRecord[] = []
  const level: { json: Json | undefined; namespace: string }[] = [{ json: root, namespace: '' }]
  // Appended to while it is read.
  for (const { json, namespace } of level) {
    if (isJsonArray(json)) for (const branch of json) level.push({ json: branch, namespace })
    if (!isJsonObject(json) || isJsonNumber(json)) continue
    const type = json.get('type')
    if (type === 'record' || type === 'error') {
      const own = json.get('namespace')
      const name = fullNameOf(String(json.get('name')), typeof own === 'string' ? own : namespace)
      found.push({ name, json: json as Map<string, Json> })
      const fields = json.get('fields')
      if (isJsonArray(fields)) for (const field of fields) level.push({ json: field, namespace: namespaceOf(name) })
    } else if (type === 'array') level.push({ json: json.get('items'), namespace })
    else if (type === 'map') level.push({ json: json.get('values'), namespace })
    else level.push({ json: type, namespace })
  }
  return found
}

function find(entity: SchemaEntity, records: readonly FoundRecord[]): Map<string, Json> {
  const path = pathOf(entity)
  const isField = entity.entityType === 'sr_field'
  const name = isField ? namespaceOf(path) : path
  const namespace = namespaceOf(name)
  const rootNamespace = records.length === 0 ? '' : namespaceOf(records[0]!.name)
  const targetIn = ({ json }: FoundRecord): Map<string, Json> | undefined => (isField ? fieldOf(json, shortName(path)) : json)
  const exact = records.filter(record => record.name === name)
  const near = records.filter(
    record => shortName(record.name) === shortName(name) && (namespace === '' || namespace === rootNamespace)
  )
  for (const record of [...exact, ...near]) {
    const target = targetIn(record)
    if (target !== undefined) return target
  }
  throw new AssayError('INVALID_SCHEMA', { reason: `No matching path '${entity.entityPath.slice(0, 300)}' found in the schema` })
}

function fieldOf(record: ReadonlyMap<string, Json>, name: string): Map<string, Json> | undefined {
  const fields = record.get('fields')
  const field = isJsonArray(fields) ? fields.find(item => isJsonObject(item) && item.get('name') === name) : undefined
  return field as Map<string, Json> | undefined
}
