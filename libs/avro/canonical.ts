/**
 * Canonical text: what Java's `Schema.toString()` prints. It is what a registry stores, returns and compares:
 * doc, aliases, defaults, order, logical types and properties all count.
 * And Avro's parsing canonical form, which keeps only what decoding needs (Avro 1.12, "Parsing Canonical Form for Schemas").
 */
import { printJson, quote } from './json-text.ts'
import type { Field, Json, NamedSchema, Schema, UnionSchema } from './schema.ts'
import { namespaceOf, shortName } from './schema.ts'

/** A short name equal to one of these would be read as the kind. */
const kinds: ReadonlySet<string> = new Set<string>([
  'record',
  'enum',
  'array',
  'map',
  'union',
  'fixed',
  'string',
  'bytes',
  'int',
  'long',
  'float',
  'double',
  'boolean',
  'null'
])

/** A type that is itself one of `references` is printed by its name only, as Confluent's registry does with referenced schemas. */
export function canonicalText(schema: Schema, references: readonly Schema[] = []): string {
  return print(schema, '', new Set(namesOf(references)))
}

/** The type alone: every named type inside it is printed by its name. Names are full ones. */
export function fragmentText(schema: Schema): string {
  let inside = !('name' in schema)
  return print(schema, '', {
    has: () => inside,
    add: () => {
      inside = true
    }
  })
}

const fragmentMax = 240

/** Makes texts as fragmentText does for people to read: long ones end in dots, and each is made once. */
export function fragmentPrinter(): (schema: Schema) => string {
  const printed = new Map<Schema, string>()
  return schema => {
    const known = printed.get(schema)
    if (known !== undefined) return known
    const text = fragmentText(schema)
    const short = text.length > fragmentMax ? `${text.slice(0, fragmentMax - 3)}...` : text
    printed.set(schema, short)
    return short
  }
}

/** The names that need no definition any more. */
interface Known {
  has(name: string): boolean
  add(name: string): unknown
}

function namesOf(references: readonly Schema[]): readonly string[] {
  return references.flatMap(reference => ('name' in reference ? [reference.name] : []))
}

/** Recursive as deep as the text was nested, which parseSchema bounds. `namespace` is the enclosing one. */
function print(schema: Schema, namespace: string, known: Known): string {
  switch (schema.kind) {
    case 'union':
      return printUnion(schema, namespace, known)
    case 'array':
      return `{"type":"array","items":${print(schema.items, namespace, known)}${propertiesText(schema.properties)}}`
    case 'map':
      return `{"type":"map","values":${print(schema.values, namespace, known)}${propertiesText(schema.properties)}}`
    case 'record':
    case 'enum':
    case 'fixed':
      if (known.has(schema.name)) return quote(nameIn(namespace, schema.name))
      known.add(schema.name)
      return printNamed(schema, namespace, known)
    default:
      if (schema.properties.size === 0) return `"${schema.kind}"`
      return `{"type":"${schema.kind}"${propertiesText(schema.properties)}}`
  }
}

function printUnion({ branches }: UnionSchema, namespace: string, known: Known): string {
  let text = '['
  for (let at = 0; at < branches.length; at++) text += (at > 0 ? ',' : '') + print(branches[at]!, namespace, known)
  return `${text}]`
}

function printNamed(schema: NamedSchema, namespace: string, known: Known): string {
  const own = namespaceOf(schema.name)
  const kind = schema.kind === 'record' && schema.isError ? 'error' : schema.kind
  let text = `{"type":"${kind}","name":${quote(shortName(schema.name))}`
  if (own !== namespace) text += `,"namespace":${quote(own)}`
  if (schema.doc !== undefined) text += `,"doc":${quote(schema.doc)}`
  if (schema.kind === 'record') {
    text += ',"fields":['
    for (let at = 0; at < schema.fields.length; at++) text += (at > 0 ? ',' : '') + printField(schema.fields[at]!, own, known)
    text += ']'
  } else if (schema.kind === 'fixed') text += `,"size":${schema.size}`
  else {
    text += `,"symbols":[${schema.symbols.map(quote).join(',')}]`
    if (schema.default !== undefined) text += `,"default":${quote(schema.default)}`
  }
  text += propertiesText(schema.properties)
  if (schema.aliases.length > 0) text += `,"aliases":[${schema.aliases.map(alias => quote(nameIn(own, alias))).join(',')}]`
  return `${text}}`
}

function printField(field: Field, namespace: string, known: Known): string {
  let text = `{"name":${quote(field.name)},"type":${print(field.type, namespace, known)}`
  if (field.doc !== undefined) text += `,"doc":${quote(field.doc)}`
  if (field.default !== undefined) text += `,"default":${printJson(field.default)}`
  if (field.order !== 'ascending') text += `,"order":"${field.order}"`
  if (field.aliases.length > 0) text += `,"aliases":[${field.aliases.map(quote).join(',')}]`
  return `${text}${propertiesText(field.properties)}}`
}

function propertiesText(properties: ReadonlyMap<string, Json>): string {
  let text = ''
  for (const [key, value] of properties) text += `,${quote(key)}:${printJson(value)}`
  return text
}

function nameIn(namespace: string, fullName: string): string {
  const own = namespaceOf(fullName)
  return own !== '' && own === namespace && !kinds.has(shortName(fullName)) ? shortName(fullName) : fullName
}

/** The form whose fingerprint names a schema: full names, no attribute that decoding does not need. */
export function parsingCanonicalForm(schema: Schema): string {
  return printParsing(schema, new Set())
}

function printParsing(schema: Schema, known: Set<string>): string {
  switch (schema.kind) {
    case 'union':
      return `[${schema.branches.map(branch => printParsing(branch, known)).join(',')}]`
    case 'array':
      return `{"type":"array","items":${printParsing(schema.items, known)}}`
    case 'map':
      return `{"type":"map","values":${printParsing(schema.values, known)}}`
    case 'record':
    case 'enum':
    case 'fixed': {
      const head = `"${schema.name}"`
      if (known.has(schema.name)) return head
      known.add(schema.name)
      return `{"name":${head},"type":"${schema.kind}",${printParsingBody(schema, known)}}`
    }
    default:
      return `"${schema.kind}"`
  }
}

function printParsingBody(schema: NamedSchema, known: Set<string>): string {
  if (schema.kind === 'fixed') return `"size":${schema.size}`
  if (schema.kind === 'enum') return `"symbols":[${schema.symbols.map(symbol => `"${symbol}"`).join(',')}]`
  const fields = schema.fields.map(field => `{"name":"${field.name}","type":${printParsing(field.type, known)}}`)
  return `"fields":[${fields.join(',')}]`
}
