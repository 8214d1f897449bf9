/** The module of one named type: its types for reading and writing, and its codec. */
import { canonicalText, type EnumSchema, fingerprint64, type NamedSchema, type RecordSchema, type Schema } from '@assay/avro'
import { importPath, localNames, type Place } from './names.ts'
import { docComment, literal, propertyKey, propertyName } from './text.ts'
import { type Side, type TypeOptions, type TypeScope, typeText, unnamedText } from './type-text.ts'

export interface FileOptions extends TypeOptions {
  /** The package that generated code imports from. */
  readonly runtime: string
}

export interface Named {
  readonly schema: NamedSchema
  /** The schema file that defines it. */
  readonly file: string
}

/** What a generated file imports, gathered while its body is written. */
export interface Imports extends TypeScope {
  text(): string
  /** A name for a value or a type of the run-time package. */
  runtime(name: string, kind: 'type' | 'value'): string
  /** The local name of the value that a named type's module exports. */
  valueOf(schema: NamedSchema): string
}

const initName = (name: string): string => `${name}Init`

/** `declared` are the names that the file itself exports. */
export function importsOf(
  file: string,
  places: ReadonlyMap<string, Place>,
  options: FileOptions,
  declared: ReadonlyMap<string, Readonly<Record<Side, string>>> = new Map()
): Imports {
  const local = localNames()
  for (const names of declared.values()) for (const name of new Set(Object.values(names))) local(name)
  const fromRuntime = new Map<string, 'type' | 'value'>()
  const fromFiles = new Map<string, Map<string, { readonly as: string; kind: 'type' | 'value' }>>()

  const imported = (schema: NamedSchema, side: Side, kind: 'type' | 'value'): string => {
    const own = declared.get(schema.name)
    if (own) return own[side]
    const place = places.get(schema.name)!
    const path = importPath(file, place.file)
    const names = fromFiles.get(path) ?? new Map<string, { readonly as: string; kind: 'type' | 'value' }>()
    fromFiles.set(path, names)
    const exported = side === 'init' ? initName(place.name) : place.name
    const known = names.get(exported) ?? { as: local(exported), kind }
    if (kind === 'value') known.kind = 'value'
    names.set(exported, known)
    return known.as
  }
  const runtime = (name: string, kind: 'type' | 'value'): string => {
    if (fromRuntime.get(name) !== 'value') fromRuntime.set(name, kind)
    return name
  }

  return {
    options,
    nameOf: (schema, side) => imported(schema, hasInit(schema) ? side : 'read', 'type'),
    valueOf: schema => imported(schema, 'read', 'value'),
    uses: name => runtime(name, 'type'),
    runtime,
    text() {
      const lines: string[] = []
      if (fromRuntime.size > 0)
        lines.push(
          importLine(
            [...fromRuntime].map(([name, kind]) => ({ name, as: name, kind })),
            options.runtime
          )
        )
      for (const [path, names] of [...fromFiles].sort(([a], [b]) => (a < b ? -1 : 1))) {
        lines.push(
          importLine(
            [...names].map(([name, { as, kind }]) => ({ name, as, kind })),
            path
          )
        )
      }
      return lines.join('\n')
    }
  }
}

interface ImportedName {
  readonly name: string
  readonly as: string
  readonly kind: 'type' | 'value'
}

function importLine(names: readonly ImportedName[], from: string): string {
  const onlyTypes = names.every(({ kind }) => kind === 'type')
  const listed = names
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, as, kind }) => `${kind === 'type' && !onlyTypes ? 'type ' : ''}${name === as ? name : `${name} as ${as}`}`)
  return `import ${onlyTypes ? 'type ' : ''}{ ${listed.join(', ')} } from ${literal(from)}`
}

/** An enum is written as it is read; a record may be given with less, a fixed with a wider type. */
export const hasInit = (schema: NamedSchema): boolean => schema.kind !== 'enum'

export function moduleText({ schema, file }: Named, places: ReadonlyMap<string, Place>, options: FileOptions): string {
  const place = places.get(schema.name)!
  const init = hasInit(schema) ? initName(place.name) : place.name
  const imports = importsOf(place.file, places, options, new Map([[schema.name, { read: place.name, init }]]))
  const body =
    schema.kind === 'record'
      ? recordText(schema, place.name, imports)
      : schema.kind === 'enum'
        ? enumText(schema, place.name)
        : `${docOf(schema)}export type ${place.name} = ${unnamedText(schema, 'read', imports)}\n\n` +
          `/** What {@link ${place.name}} may be written from. */\nexport type ${init} = ${unnamedText(schema, 'init', imports)}\n`
  const codec = schema.kind === 'record' ? `\n${docOf(schema)}${codecText(schema, place.name, init, imports)}` : ''
  return assemble(file, imports, `${body}${codec}`)
}

/** A file from its parts. */
export function assemble(source: string, imports: Imports, body: string): string {
  const head = `// Generated by Assay from ${source}. Do not edit: change the schema and generate again.\n`
  const imported = imports.text()
  return `${head}${imported === '' ? '' : `${imported}\n`}\n${body}`
}

/** The exported codec of a named type. */
function codecText(schema: NamedSchema, name: string, init: string, imports: Imports): string {
  const type = imports.runtime('AvroType', 'type')
  return `export const ${name}: ${type}<${name}, ${init}> = ${codecExpression(schema, imports)}\n`
}

/** An expression for the codec of any schema. */
export function codecExpression(schema: Schema, imports: Imports, indent = ''): string {
  const { long, time } = imports.options
  const make = imports.runtime('avroType', 'value')
  const fingerprint = fingerprint64(schema).toString(16).padStart(16, '0')
  return [
    `/* @__PURE__ */ ${make}({`,
    `${indent}  name: ${literal('name' in schema ? schema.name : schema.kind)},`,
    `${indent}  schema: ${literal(canonicalText(schema))},`,
    `${indent}  fingerprint: ${literal(fingerprint)},`,
    `${indent}  long: ${literal(long)},`,
    `${indent}  time: ${literal(time)}`,
    `${indent}})`
  ].join('\n')
}

function recordText(schema: RecordSchema, name: string, imports: Imports): string {
  const side = (which: Side): string =>
    schema.fields
      .map(field => {
        const deprecated = deprecationOf(field.properties)
        const doc = docComment([...(field.doc === undefined ? [] : [field.doc]), ...deprecated], '  ')
        const type = typeText(field.type, which, imports)
        const optional = which === 'init' && field.default !== undefined
        return `${doc}  readonly ${propertyName(field.name)}${optional ? '?' : ''}: ${type}${optional ? ' | undefined' : ''}\n`
      })
      .join('')
  return (
    `${docOf(schema)}export interface ${name} {\n${side('read')}}\n\n` +
    `/** What {@link ${name}} may be written from: fields with a default may be left out. */\n` +
    `export interface ${initName(name)} {\n${side('init')}}\n`
  )
}

function enumText(schema: EnumSchema, name: string): string {
  const type = schema.symbols.length === 0 ? 'never' : schema.symbols.map(literal).join(' | ')
  const member = (symbol: string, value: string): string => `  ${propertyKey(symbol)}: ${value}`
  const types = schema.symbols.map(symbol => `  readonly ${propertyKey(symbol)}: ${literal(symbol)}`).join('\n')
  const values = schema.symbols.map(symbol => member(symbol, literal(symbol))).join(',\n')
  return (
    `${docOf(schema)}export type ${name} = ${type}\n\n` +
    `${docOf(schema)}export const ${name}: {\n${types}\n} = {\n${values}\n}\n\n` +
    `/** True for a symbol of {@link ${name}}. */\n` +
    `export function is${name}(value: unknown): value is ${name} {\n` +
    `  return typeof value === 'string' && Object.hasOwn(${name}, value)\n}\n`
  )
}

function docOf(schema: NamedSchema): string {
  return docComment([...(schema.doc === undefined ? [] : [schema.doc]), ...deprecationOf(schema.properties)])
}

/** The property `deprecated`: a text says what to use instead. */
function deprecationOf(properties: NamedSchema['properties']): string[] {
  const deprecated = properties.get('deprecated')
  if (deprecated === true) return ['@deprecated']
  return typeof deprecated === 'string' ? [`@deprecated ${deprecated}`] : []
}
