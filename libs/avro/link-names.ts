/**
 * The second pass over a schema: puts the definitions in the places of the names that were open, checks unions and defaults again
 * with them, and bounds the depth. It visits types in the order of Java's ResolvingVisitor, because there a default is refused
 * when it holds a record whose turn has not come yet.
 */
import { misfitOf, type TypeView } from './defaults.ts'
import { isJsonArray, isJsonObject } from './json-text.ts'
import { pathOf, SchemaProblem } from './problem.ts'
import type { ArraySchema, Field, Json, MapSchema, RecordSchema, Schema, UnionSchema } from './schema.ts'
import { shortName } from './schema.ts'
import { type Building, checkBranches, type SchemaReader } from './schema-reader.ts'

const stepsMax = 1_000_000
const chainMax = 1_000

/** Returns the root, linked in place. Throws SchemaProblem. */
export function linkNames(root: Schema, reader: SchemaReader, depthMax: number): Schema {
  const definition = (schema: Schema): Schema => {
    const open = reader.open.get(schema)
    return open === undefined ? schema : reader.known.get(open.fullName)!
  }
  for (const { fullName, trail } of reader.open.values()) {
    if (!reader.known.has(fullName)) throw new SchemaProblem(pathOf(trail), undefinedName(fullName, reader))
  }
  if (reader.validateDefaults) {
    try {
      checkDefaults(root, reader, definition)
    } catch (error) {
      if (!(error instanceof SchemaProblem)) throw error
      reader.wrongDefault(error)
    }
  }
  const linked = closeNames(root, reader, definition)
  checkDepth(linked, depthMax)
  return linked
}

function undefinedName(fullName: string, reader: SchemaReader): string {
  for (const known of reader.known.keys()) {
    if (shortName(known) === shortName(fullName)) return `the type ${fullName} is not defined; did you mean ${known}?`
  }
  return `the type ${fullName} is not defined; define it in this schema or add a reference to the subject that defines it`
}

function checkDefaults(root: Schema, reader: SchemaReader, definition: (schema: Schema) => Schema): void {
  // Without a default that may hold a record no order matters, and most schemas have none.
  const view: TypeView = { resolve: definition, fieldsOf: record => record.fields }
  const fields = reader.holders.filter((holder): holder is Field => !isUnion(holder) && holder.default !== undefined)
  if (fields.some(field => mayHoldRecord(field.default!, definition(field.type), definition)))
    checkInOrder(root, reader, definition)
  else if (reader.open.size > 0) for (const field of fields) checkDefault(field, reader, view)
}

/** Every default was checked once while its field was read; what changes is what the names in its type stand for. */
function checkDefault(field: Field, reader: SchemaReader, view: TypeView): void {
  if (field.default === undefined) return
  const misfit = misfitOf(field.type, field.default, view, reader.budget)
  if (misfit === undefined) return
  const path = [...pathOf(reader.trails[reader.holders.indexOf(field)] ?? null), 'default', ...misfit.path]
  throw new SchemaProblem(path, `the default of ${field.name}: ${misfit.reason}`)
}

/** Goes down the value, whose depth is bounded, along its type for as long as that leaves no choice. */
function mayHoldRecord(value: Json, type: Schema, definition: (schema: Schema) => Schema): boolean {
  if (!isJsonObject(value) && !isJsonArray(value)) return false
  if (type.kind !== 'array' && type.kind !== 'map') return type.kind === 'record' || type.kind === 'union'
  const inner = definition(type.kind === 'array' ? type.items : type.values)
  for (const item of value.values()) if (mayHoldRecord(item, inner, definition)) return true
  return false
}

function checkInOrder(root: Schema, reader: SchemaReader, definition: (schema: Schema) => Schema): void {
  const reached = new Set<Schema>(reader.foreign)
  const finished = new Set<Schema>(reader.foreign)
  /** Finished, with all that can be reached from there: looking again would change nothing. */
  const settled = new Set<Schema>(reader.foreign)
  let unsettled: Schema[] = []
  let steps = 0
  const view: TypeView = { resolve: definition, fieldsOf: record => (finished.has(record) ? record.fields : undefined) }

  const finish = (record: RecordSchema): void => {
    if (finished.has(record)) return
    for (const field of record.fields) checkDefault(field, reader, view)
    finished.add(record)
  }
  const visit = (start: Schema, chain: number): void => {
    const visited = new Set<Schema>()
    const waiting: (Schema | { readonly finish: RecordSchema })[] = [start]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (++steps > stepsMax)
        throw new SchemaProblem([], 'the types refer to each other in too many ways; define types before their use')
      if ('finish' in next) {
        finish(next.finish)
        continue
      }
      if (visited.has(next) || settled.has(next)) continue
      const open = reader.open.get(next)
      if (open !== undefined) {
        const target = definition(next)
        if (reached.has(target)) continue
        if (chain >= chainMax) {
          throw new SchemaProblem(
            pathOf(open.trail),
            `more than ${chainMax} types in a row are used before they are defined; define them first`
          )
        }
        visit(target, chain + 1)
        continue
      }
      reached.add(next)
      unsettled.push(next)
      if (next.kind === 'record') {
        visited.add(next)
        waiting.push({ finish: next })
        for (let i = next.fields.length - 1; i >= 0; i--) waiting.push(next.fields[i]!.type)
      } else if (next.kind === 'union') {
        visited.add(next)
        for (const branch of next.branches) waiting.push(branch)
      } else if (next.kind === 'array') waiting.push(next.items)
      else if (next.kind === 'map') waiting.push(next.values)
    }
  }
  for (const start of [...reader.known.values(), root]) {
    visit(start, 0)
    for (const schema of unsettled) settled.add(schema)
    unsettled = []
  }
}

/** Every open name is held by a union, a field or the root, perhaps inside arrays and maps. */
function closeNames(root: Schema, reader: SchemaReader, definition: (schema: Schema) => Schema): Schema {
  // Arrays and maps nest no deeper than the text does, and a record ends the descent: `holders` has its fields.
  const close = (schema: Schema): Schema => {
    if (schema.kind === 'array') (schema as Building<ArraySchema>).items = close(schema.items)
    else if (schema.kind === 'map') (schema as Building<MapSchema>).values = close(schema.values)
    return definition(schema)
  }
  if (reader.open.size > 0) {
    for (const holder of reader.holders) {
      if (isUnion(holder)) {
        const branches = holder.branches as Schema[]
        for (const [index, branch] of branches.entries()) branches[index] = close(branch)
      } else (holder as Building<Field>).type = close(holder.type)
    }
    for (const [at, holder] of reader.holders.entries())
      if (isUnion(holder)) checkBranches(holder, reader.trails[at]!, () => false)
  }
  return close(root)
}

const isUnion = (holder: UnionSchema | Field): holder is UnionSchema => 'branches' in holder

/** Walks in the order in which canonical text prints, each definition at its first use: that text must be readable again. */
function checkDepth(root: Schema, depthMax: number): void {
  const seen = new Set<Schema>()
  const walk = (schema: Schema, depth: number): void => {
    if (depth > depthMax) {
      throw new SchemaProblem(
        [],
        `types are nested deeper than ${depthMax} when each name is replaced by its definition; flatten them`
      )
    }
    if (seen.has(schema)) return
    if (schema.kind === 'record') {
      seen.add(schema)
      for (const field of schema.fields) walk(field.type, depth + 1)
    } else if (schema.kind === 'union') for (const branch of schema.branches) walk(branch, depth + 1)
    else if (schema.kind === 'array') walk(schema.items, depth + 1)
    else if (schema.kind === 'map') walk(schema.values, depth + 1)
  }
  walk(root, 1)
}
