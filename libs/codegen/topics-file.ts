/** `topics.ts`: which types the keys and values of each topic have, as a type and as the value that producers and consumers take. */
import type { Schema } from '@assay/avro'
import { assemble, codecExpression, type FileOptions, type Imports, importsOf } from './module-file.ts'
import type { Place } from './names.ts'
import { docComment, propertyKey } from './text.ts'
import { typeText } from './type-text.ts'

export interface TopicSchemas {
  /** Without one the keys are plain text. */
  readonly key: Schema | undefined
  readonly value: Schema
}

export function topicsText(
  topics: ReadonlyMap<string, TopicSchemas>,
  places: ReadonlyMap<string, Place>,
  options: FileOptions
): string {
  const imports = importsOf('topics.ts', places, options, new Map([['', { read: 'topics', init: 'Topics' }]]))
  const entries = [...topics]
  const read = entries.map(([topic, { key, value }]) => {
    const keyText = key ? typeText(key, 'read', imports) : 'string'
    return `${docOf(value)}  readonly ${propertyKey(topic)}: { readonly key: ${keyText}; readonly value: ${typeText(value, 'read', imports)} }`
  })
  const types = entries.map(([topic, { key, value }]) => {
    const keyText = key ? avroTypeText(key, imports) : 'null'
    return `  readonly ${propertyKey(topic)}: { readonly key: ${keyText}; readonly value: ${avroTypeText(value, imports)} }`
  })
  const values = entries.map(([topic, { key, value }]) => {
    const keyText = key ? codecOf(key, imports) : 'null'
    return `  ${propertyKey(topic)}: { key: ${keyText}, value: ${codecOf(value, imports)} }`
  })
  const body =
    `/** Keys and values by topic, as they are read. */\nexport interface Topics {\n${lines(read, '\n')}}\n\n` +
    `/** Every topic with its codecs, for producers and consumers. A null key codec means plain text. */\n` +
    `export const topics: {\n${lines(types, '\n')}} = {\n${lines(values, ',\n')}}\n`
  return assemble(sourcesText(topics), imports, body)
}

const lines = (texts: readonly string[], between: string): string => (texts.length === 0 ? '' : `${texts.join(between)}\n`)

const sourcesText = (topics: ReadonlyMap<string, TopicSchemas>): string =>
  `the schemas of ${topics.size} topic${topics.size === 1 ? '' : 's'}`

function avroTypeText(schema: Schema, imports: Imports): string {
  return `${imports.runtime('AvroType', 'type')}<${typeText(schema, 'read', imports)}, ${typeText(schema, 'init', imports)}>`
}

/** A record's module has its codec; every other schema gets one here. */
function codecOf(schema: Schema, imports: Imports): string {
  return schema.kind === 'record' ? imports.valueOf(schema) : codecExpression(schema, imports, '  ')
}

function docOf(schema: Schema): string {
  return 'doc' in schema && schema.doc !== undefined ? docComment([schema.doc], '  ') : ''
}
