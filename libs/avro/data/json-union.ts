/**
 * When a value of a union stands in JSON as it is, and when it is wrapped as `{"branch": value}`. One rule for reading and writing,
 * so that what is read can be written again: an object with one member that is named like a branch is always the wrapped form.
 */
import type { Schema, UnionSchema } from '../schema.ts'
import { branchName } from '../schema.ts'
import { type JsonKind, jsonFormOf, jsonKindOf, otherBranches } from './json-form.ts'

export interface JsonUnion {
  /** The branches besides null. */
  readonly others: readonly number[]
  /** The branch of each kind of JSON, when no two branches share one: values then stand as they are. Else undefined. */
  readonly byKind: ReadonlyMap<JsonKind, number> | undefined
  /** Branches by the name that wraps them. */
  readonly byName: ReadonlyMap<string, number>
}

const unions = new WeakMap<UnionSchema, JsonUnion>()

export function jsonUnionOf(union: UnionSchema): JsonUnion {
  let known = unions.get(union)
  if (known === undefined) {
    const others = otherBranches(union)
    const kinds = new Map(others.map(index => [usualKind(union.branches[index]!), index]))
    known = {
      others,
      byKind: kinds.size === others.length ? kinds : undefined,
      byName: new Map(others.map(index => [branchName(union.branches[index]!), index]))
    }
    unions.set(union, known)
  }
  return known
}

/** The kind of JSON that values of a branch nearly always have. */
function usualKind(schema: Schema): JsonKind {
  switch (schema.kind) {
    case 'record':
    case 'map':
      return 'object'
    case 'array':
      return 'array'
    case 'enum':
      return 'text'
    case 'union':
      return 'null'
    default:
      return jsonFormOf(schema).kind
  }
}

/** The branch that a value names by being wrapped. */
export function wrappedBranch(
  { byName }: JsonUnion,
  json: unknown
): { readonly name: string; readonly index: number } | undefined {
  if (jsonKindOf(json) !== 'object') return undefined
  const names = Object.keys(json as object)
  const index = names.length === 1 ? byName.get(names[0]!) : undefined
  return index === undefined ? undefined : { name: names[0]!, index }
}

/** What becomes of the JSON of a branch; undefined when it always stands as it is. */
export function wrapping(union: UnionSchema, index: number): ((json: unknown) => unknown) | undefined {
  const branch = union.branches[index]!
  if (branch.kind === 'null') return undefined
  const shape = jsonUnionOf(union)
  const wrap = (json: unknown): unknown => ({ [branchName(branch)]: json })
  if (shape.byKind === undefined) return wrap
  const looksWrapped = (json: unknown): boolean => wrappedBranch(shape, json) !== undefined
  switch (branch.kind) {
    case 'enum':
    case 'array':
    case 'union':
      return undefined
    case 'record':
      return branch.fields.length === 1 && shape.byName.has(branch.fields[0]!.name) ? wrap : undefined
    case 'map':
      return json => (looksWrapped(json) ? wrap(json) : json)
    default: {
      const { kind, always } = jsonFormOf(branch)
      // A long beyond 2^53 is a text, which must not be taken for another branch's.
      return always || shape.others.length === 1 ? undefined : json => (jsonKindOf(json) === kind ? json : wrap(json))
    }
  }
}
