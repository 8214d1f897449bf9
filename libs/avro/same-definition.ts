/**
 * Whether two definitions of one name are equal as Java's `Schema.equals` sees it, which lets a schema define a type twice:
 * names, fields, defaults, order and properties count; doc and aliases do not.
 */
import { isJsonArray, isJsonNumber, isJsonObject, printJson } from './json-text.ts'
import type { Field, Json, Schema } from './schema.ts'

/** `isOpen` tells a use of a name that is not defined yet; such a one equals nothing but itself. */
export function sameDefinition(left: Schema, right: Schema, isOpen: (schema: Schema) => boolean = () => false): boolean {
  const waiting: [Schema, Schema][] = [[left, right]]
  const seen = new Map<Schema, Set<Schema>>()
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    const [a, b] = pair
    if (a === b || seen.get(a)?.has(b)) continue
    if (isOpen(a) || isOpen(b) || !sameShell(a, b)) return false
    const partners = seen.get(a)
    if (partners === undefined) seen.set(a, new Set([b]))
    else partners.add(b)
    const inA = parts(a)
    const inB = parts(b)
    if (inA.length !== inB.length) return false
    for (const [index, part] of inA.entries()) waiting.push([part, inB[index]!])
  }
  return true
}

function parts(schema: Schema): readonly Schema[] {
  switch (schema.kind) {
    case 'record':
      return schema.fields.map(field => field.type)
    case 'union':
      return schema.branches
    case 'array':
      return [schema.items]
    case 'map':
      return [schema.values]
    default:
      return []
  }
}

function sameShell(a: Schema, b: Schema): boolean {
  if (a.kind === 'union') return b.kind === 'union'
  if (b.kind === 'union' || a.kind !== b.kind || !sameJson(a.properties, b.properties)) return false
  if (a.kind === 'record' && b.kind === 'record') {
    return (
      a.name === b.name && a.fields.length === b.fields.length && a.fields.every((field, i) => sameField(field, b.fields[i]!))
    )
  }
  if (a.kind === 'enum' && b.kind === 'enum') {
    return a.name === b.name && a.symbols.length === b.symbols.length && a.symbols.every((symbol, i) => symbol === b.symbols[i])
  }
  if (a.kind === 'fixed' && b.kind === 'fixed') return a.name === b.name && a.size === b.size
  return true
}

function sameField(a: Field, b: Field): boolean {
  if (a.name !== b.name || a.order !== b.order || !sameJson(a.properties, b.properties)) return false
  if (a.default === undefined || b.default === undefined) return a.default === b.default
  return sameJson(a.default, b.default)
}

function sameJson(a: Json, b: Json): boolean {
  if (isJsonNumber(a)) return isJsonNumber(b) && printJson(a) === printJson(b)
  if (isJsonArray(a)) return isJsonArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]!))
  if (isJsonObject(a)) {
    return isJsonObject(b) && a.size === b.size && [...a].every(([key, item]) => b.has(key) && sameJson(item, b.get(key)!))
  }
  return a === b
}
