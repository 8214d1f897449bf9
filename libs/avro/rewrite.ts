/** Changes one place of a parsed schema: the rest is copied, so recursion and shared types stay what they were. */
import type { Steps } from './comparison.ts'
import type { Field, Json, NamedSchema, Schema } from './schema.ts'
import type { Building } from './schema-reader.ts'

/** One attribute to write, at a field or at the definition of a named type. */
export type Edit =
  | { readonly target: Field; readonly default: Json; readonly type?: Schema }
  | { readonly target: Field | NamedSchema; readonly aliases: readonly string[] }
  | { readonly target: NamedSchema; readonly symbol: string }

/** A copy of the schema with the edit done. Each type costs one of `steps`, which may end below 0. */
export function rewritten(root: Schema, edit: Edit, steps: Steps): Schema {
  const copies = new Map<Schema, Schema>()
  const copy = (schema: Schema): Schema => {
    const known = copies.get(schema)
    if (known !== undefined) return known
    steps.left--
    switch (schema.kind) {
      case 'array':
        return { ...schema, items: copy(schema.items) }
      case 'map':
        return { ...schema, values: copy(schema.values) }
      case 'union':
        return { kind: 'union', branches: schema.branches.map(copy) }
      case 'record':
      case 'enum':
      case 'fixed': {
        const named: Building<NamedSchema> = { ...schema }
        copies.set(schema, named)
        if (named.kind === 'record') named.fields = named.fields.map(copyField)
        if (schema !== edit.target) return named
        if ('aliases' in edit) named.aliases = edit.aliases
        else if ('symbol' in edit && named.kind === 'enum') named.default = edit.symbol
        return named
      }
      default:
        return schema
    }
  }
  const copyField = (field: Field): Field => {
    const made: Building<Field> = { ...field, type: copy(field.type) }
    if (field !== edit.target) return made
    if ('aliases' in edit) made.aliases = edit.aliases
    else if ('default' in edit) {
      made.default = edit.default
      if (edit.type !== undefined) made.type = copy(edit.type)
    }
    return made
  }
  return copy(root)
}

/** Where a field or the definition of a named type stands in the schema with every name replaced by its definition; undefined when it does not. */
export function pointerTo(root: Schema, target: Field | NamedSchema, steps: Steps): string | undefined {
  const seen = new Set<Schema>()
  const find = (schema: Schema, path: string): string | undefined => {
    if (schema === target) return path
    if (seen.has(schema) || steps.left-- <= 0) return undefined
    if (schema.kind === 'array') return find(schema.items, `${path}/items`)
    if (schema.kind === 'map') return find(schema.values, `${path}/values`)
    if (schema.kind === 'union') {
      for (const [index, branch] of schema.branches.entries()) {
        const found = find(branch, `${path}/${index}`)
        if (found !== undefined) return found
      }
    }
    if (schema.kind !== 'record') return undefined
    seen.add(schema)
    for (const [index, field] of schema.fields.entries()) {
      const own = `${path}/fields/${index}`
      const found = field === target ? own : find(field.type, `${own}/type`)
      if (found !== undefined) return found
    }
    return undefined
  }
  const path = find(root, '')
  return path === '' ? '/' : path
}
