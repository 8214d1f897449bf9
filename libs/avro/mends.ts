/**
 * Mends that were tried: the schema is rewritten, compared again, and only if the finding is gone and no other came up in its place
 * is the mend proposed, with the JSON to write. Where none was tried, or none helped, the rule's general advice stands.
 */
import { AssayError } from '@assay/errors'
import type { Steps } from './comparison.ts'
import type { Clash, IncompatibilityType } from './compatibility-rules.ts'
import { compatibilityRules, listed, standInOf } from './compatibility-rules.ts'
import { misfitOf } from './defaults.ts'
import { isJsonArray, isJsonNumber, isJsonObject, printJson } from './json-text.ts'
import { type Edit, pointerTo, rewritten } from './rewrite.ts'
import type { EnumSchema, Field, Json, NamedSchema, RecordSchema, Schema } from './schema.ts'
import { branchName } from './schema.ts'

/** An attribute to write, for programs. */
export interface Rewrite {
  /** JSON pointer to a field or type in the schema with every name replaced by its definition. */
  readonly path: string
  /** The attributes of that object; those that it has already are replaced. */
  readonly add: Readonly<Record<string, unknown>>
}

export interface Mend {
  readonly mend: string
  /** The first of the proposed mends, when one attribute is enough. */
  readonly rewrite?: Rewrite
}

/** What a comparison found, as far as trials need it. */
export interface Trouble {
  readonly type: IncompatibilityType
  readonly path: string
  readonly message: string
  readonly clash: Clash
}

/** Compares again; throws INVALID_SCHEMA when the steps run out. */
export type Compare = (reader: Schema, writer: Schema, steps: Steps) => readonly Trouble[]

/** Fields in a branch of a union that are mended together. */
const editsMax = 4
const stepsMax = 150_000
/** To tell one finding from another costs as much as a few types. */
const findingSteps = 4

/** Tries mends for the findings of one reader and one writer, with one bound on all the work. */
export class MendTrials {
  readonly #reader: Schema
  readonly #writer: Schema
  readonly #compare: Compare
  readonly #before: ReadonlySet<string>
  readonly #steps: Steps = { left: stepsMax }

  constructor(reader: Schema, writer: Schema, found: readonly Trouble[], compare: Compare) {
    this.#reader = reader
    this.#writer = writer
    this.#compare = compare
    this.#before = new Set(found.map(keyOf))
  }

  mend(trouble: Trouble): Mend {
    const proven: { readonly proposal: Proposal; readonly says: string; readonly edits: readonly Edit[] }[] = []
    for (const proposal of proposalsFor(trouble)) {
      const edits = this.#prove(trouble, proposal.edit, this.#reader, editsMax)
      if (edits === undefined) continue
      const says = edits.length === 1 ? proposal.says : edits.map(saysEdit).join(', ')
      proven.push({ proposal, says, edits })
    }
    const [first] = proven
    if (first === undefined) return { mend: compatibilityRules[trouble.type].mend(trouble.clash, 'reader') }
    const keep = keepFirst(trouble)
    const text = [...(keep === undefined ? [] : [keep]), ...proven.map(({ says }) => says)].join(', or ')
    const rewrite = first.edits.length === 1 ? this.#rewriteOf(first.proposal.edit) : undefined
    return { mend: `${text[0]!.toUpperCase()}${text.slice(1)}.`, ...(rewrite && { rewrite }) }
  }

  /** The edits, one after the other, that make the finding go; of a union's branch more than one may be needed. */
  #prove(trouble: Trouble, edit: Edit, reader: Schema, editsLeft: number): readonly Edit[] | undefined {
    if (this.#steps.left <= 0) return undefined
    try {
      const next = rewritten(reader, edit, this.#steps)
      const found = this.#compare(next, this.#writer, this.#steps)
      this.#steps.left -= found.length * findingSteps
      const still = found.find(one => keyOf(one) === keyOf(trouble))
      if (!found.every(one => this.#before.has(keyOf(one)))) return undefined
      if (still === undefined) return [edit]
      if (still.clash.nested === undefined || editsLeft <= 1) return undefined
      const [more] = proposalsFor(still)
      const rest = more === undefined ? undefined : this.#prove(still, more.edit, next, editsLeft - 1)
      return rest === undefined ? undefined : [edit, ...rest]
    } catch (error) {
      if (error instanceof AssayError) return undefined
      throw error
    }
  }

  /** None for another type: whether its definition stands there, or elsewhere, only the text knows. */
  #rewriteOf(edit: Edit): Rewrite | undefined {
    if ('type' in edit) return undefined
    const path = pointerTo(this.#reader, edit.target, this.#steps)
    if (path === undefined) return undefined
    if ('symbol' in edit) return { path, add: { default: edit.symbol } }
    return { path, add: 'aliases' in edit ? { aliases: edit.aliases } : { default: plain(edit.default) } }
  }
}

/** Neither types nor paths hold a space. */
const keyOf = ({ type, path, message }: Trouble): string => `${type} ${path} ${message}`

interface Proposal {
  readonly edit: Edit
  /** As a part of a sentence. */
  readonly says: string
}

/** What stands in a union's branch is what keeps it from reading. */
function innermost({ type, clash }: Trouble): { readonly type: IncompatibilityType; readonly clash: Clash } {
  let at: { readonly type: IncompatibilityType; readonly clash: Clash } = { type, clash }
  while (at.clash.nested !== undefined) at = at.clash.nested
  return at
}

function proposalsFor(trouble: Trouble): readonly Proposal[] {
  const { type, clash } = innermost(trouble)
  if (clash.field !== undefined && clash.owner !== undefined) return forMissingField(clash.field, clash.owner, clash.writer)
  if (type === 'NAME_MISMATCH') {
    const [target, other] = [clash.reader as NamedSchema, clash.writer as NamedSchema]
    const aliases = [...target.aliases, other.name]
    return [{ edit: { target, aliases }, says: `add ${saysAlias(other.name)} to ${target.name}` }]
  }
  if (type === 'MISSING_UNION_BRANCH' && clash.reader.kind === 'union' && 'name' in clash.writer) {
    const [target, another] = clash.reader.branches.filter(branch => branch.kind === clash.writer.kind) as NamedSchema[]
    if (target === undefined || another !== undefined) return []
    const { name } = clash.writer
    const says = `add ${saysAlias(name)} to ${target.name} if it is ${name} under a new name`
    return [{ edit: { target, aliases: [...target.aliases, name] }, says }]
  }
  if (type === 'MISSING_ENUM_SYMBOLS') {
    const target = clash.reader as EnumSchema
    const symbol = standInOf(target)
    const says = `add "default": "${symbol}" to the enum, which stands in for symbols it does not know`
    return symbol === undefined ? [] : [{ edit: { target, symbol }, says }]
  }
  return []
}

function forMissingField(target: Field, owner: RecordSchema, writer: Schema): readonly Proposal[] {
  const value = defaultFor(target.type)
  const proposals: Proposal[] = []
  if (value !== undefined) {
    const edit = { target, default: value }
    proposals.push({ edit, says: `add ${saysDefault(value)} to the field ${target.name}` })
  } else {
    const branches = target.type.kind === 'union' ? target.type.branches.filter(({ kind }) => kind !== 'null') : [target.type]
    const type: Schema = { kind: 'union', branches: [{ kind: 'null', properties: new Map() }, ...branches] }
    const says = `make the type of ${target.name} a union with null first and add "default": null`
    proposals.push({ edit: { target, default: null, type }, says })
  }
  const old = writer.kind === 'record' ? renamedFrom(target, owner, writer) : undefined
  if (old !== undefined) {
    const aliases = [...target.aliases, old]
    const says = `add ${saysAlias(old)} to it if it is ${old} under a new name`
    proposals.push({ edit: { target, aliases }, says })
  }
  return proposals
}

/** What needs no trial: to leave it as the writer has it. */
function keepFirst(trouble: Trouble): string | undefined {
  const { type, clash } = innermost(trouble)
  if (clash.field !== undefined) return undefined
  if (type === 'NAME_MISMATCH') return `keep the name ${branchName(clash.writer)}`
  if (type === 'MISSING_UNION_BRANCH') return `add ${branchName(clash.writer)} to the union as a branch`
  if (type === 'MISSING_ENUM_SYMBOLS') return `keep ${listed(clash.symbols ?? [])}`
  return undefined
}

function saysEdit(edit: Edit): string {
  if ('symbol' in edit) return `add "default": "${edit.symbol}" to ${edit.target.name}`
  if ('aliases' in edit) return `add ${saysAlias(edit.aliases.at(-1)!)} to ${edit.target.name}`
  const type = edit.type === undefined ? '' : ` and null to its type, as the first`
  return `add ${saysDefault(edit.default)} to the field ${edit.target.name}${type}`
}

/** The new one alone; a rewrite holds them all. */
const saysAlias = (alias: string): string => `"aliases": ${printJson([alias])}`
const saysDefault = (value: Json): string => `"default": ${printJson(value)}`

/** The value as JSON.parse would give it. The defaults that are proposed have no numbers that lose by it. */
function plain(value: Json): unknown {
  if (isJsonNumber(value)) return Number(value.text)
  if (isJsonArray(value)) return value.map(plain)
  return isJsonObject(value) ? Object.fromEntries([...value].map(([key, item]) => [key, plain(item)])) : value
}

/** A field of the same type that only the writer has. */
function renamedFrom(field: Field, reader: RecordSchema, writer: RecordSchema): string | undefined {
  const kept = new Set(reader.fields.flatMap(own => [own.name, ...own.aliases]))
  return writer.fields.find(old => !kept.has(old.name) && sameType(old.type, field.type))?.name
}

function sameType(a: Schema, b: Schema): boolean {
  if (a.kind === 'array') return b.kind === 'array' && sameType(a.items, b.items)
  if (a.kind === 'map') return b.kind === 'map' && sameType(a.values, b.values)
  if (a.kind !== 'union') return a.kind === b.kind && branchName(a) === branchName(b)
  return (
    b.kind === 'union' &&
    a.branches.length === b.branches.length &&
    a.branches.every((branch, i) => sameType(branch, b.branches[i]!))
  )
}

/** A plain default that passes the check of new schemas, or undefined. Of a union it is one of the first branch, which older Avro wants. */
function defaultFor(schema: Schema): Json | undefined {
  const type = schema.kind === 'union' ? schema.branches[0] : schema
  const value = type === undefined ? undefined : plainValue(type)
  return value === undefined || misfitOf(schema, value) !== undefined ? undefined : value
}

function plainValue(type: Schema): Json | undefined {
  switch (type.kind) {
    case 'null':
      return null
    case 'boolean':
      return false
    case 'int':
    case 'long':
      return { text: '0' }
    case 'float':
    case 'double':
      return { text: '0.0' }
    case 'string':
    case 'bytes':
      return ''
    case 'array':
      return []
    case 'enum':
      return type.default ?? type.symbols[0]
    case 'fixed':
      return type.size <= 16 ? '\0'.repeat(type.size) : undefined
    default:
      return new Map()
  }
}
