/** JSON that does not fit a shape, at one place of it; and texts that are no JSON at all. */
import type { Shape } from './routes.ts'

export type Random = (below: number) => number

export const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T

const values: readonly { readonly type: string; readonly text: string }[] = [
  { type: 'boolean', text: 'true' },
  { type: 'integer', text: '1' },
  { type: 'number', text: '1.5' },
  { type: 'number', text: '-1e300' },
  { type: 'number', text: '1e999' },
  { type: 'number', text: '99999999999999999999' },
  { type: 'string', text: '"x"' },
  { type: 'string', text: '""' },
  { type: 'string', text: '"1"' },
  { type: 'array', text: '[]' },
  { type: 'array', text: '[[[]]]' },
  { type: 'array', text: '[null,{"a":1}]' },
  { type: 'object', text: '{}' },
  { type: 'object', text: '{"__proto__":{"a":1}}' },
  { type: 'object', text: '{"toString":1,"constructor":{"prototype":{}}}' }
]

/** Undefined for a shape that everything fits. */
function wrongValue(shape: Shape, random: Random): string | undefined {
  const types = (shape.anyOf ?? [shape]).map(({ type }) => type)
  if (types.includes(undefined)) return undefined
  const fitting = types.includes('number') ? [...types, 'integer'] : types
  const wrong = values.filter(({ type }) => !fitting.includes(type))
  return wrong.length === 0 ? undefined : pick(random, wrong).text
}

/** A text of JSON with a value of the wrong type at some place, or undefined when nothing can be wrong there. */
export function wrongJson(shape: Shape, random: Random): string | undefined {
  const inner = (shape.anyOf ?? [shape]).find(
    ({ properties, patternProperties, items }) => properties ?? patternProperties ?? items
  )
  if (inner === undefined || random(4) === 0) return wrongValue(shape, random)
  if (inner.items) {
    const item = wrongJson(inner.items, random)
    return item && `[${item}]`
  }
  const [name, property] = inner.properties
    ? pick(random, Object.entries(inner.properties))
    : ['any', Object.values(inner.patternProperties!)[0]!]
  const value = wrongJson(property, random)
  return value && `{"${name}":${value}}`
}

const schemaBody = '{"schema":"{\\"type\\":\\"string\\"}"}'

/** Bytes that no JSON parser may take. */
export function noJson(random: Random): Buffer {
  const depth = 200 + random(50_000)
  const texts: readonly (() => string | Buffer)[] = [
    () => schemaBody.slice(0, 1 + random(schemaBody.length - 1)),
    () => `${schemaBody}${pick(random, ['}', '{}', ',', ' x', '\u0000', '"'])}`,
    () => pick(random, ['[', '{"a":', '[[{"":[', '{"schema":[']).repeat(depth),
    () => `{"schema":${'['.repeat(depth)}${']'.repeat(depth)}}`,
    () =>
      pick(random, [
        'nul',
        'NaN',
        'Infinity',
        'undefined',
        "{'schema':'x'}",
        '{schema:1}',
        '{"schema":01}',
        '{"schema":.5}',
        '\\',
        '"'
      ]),
    () => `{"schema":"${pick(random, ['\n', '\t', '\u0000', '\\x', '\\u12', '\\'])}"}`,
    () => `{"schema":"x",}`,
    () => `{"schema":"x"/* */}`,
    () =>
      Buffer.concat([
        Buffer.from('{"schema":"'),
        Buffer.from(pick(random, ['ff', 'c080', 'eda080', 'f8888080', '80'])!, 'hex'),
        Buffer.from('"}')
      ]),
    () => Buffer.from(Array.from({ length: 1 + random(300) }, () => 128 + random(128)))
  ]
  const made = pick(random, texts)()
  return typeof made === 'string' ? Buffer.from(made) : made
}

/** JSON that says a thing twice, or things that nobody asked for: read or refused, but never fallen over. */
export function oddJson(random: Random): string {
  const name = pick(random, [
    'schema',
    'schemaType',
    'references',
    'metadata',
    'compatibility',
    'mode',
    '__proto__',
    'constructor',
    'toString',
    ''
  ])
  return pick<() => string>(random, [
    () => `{"schema":"\\"int\\"","schema":${pick(random, values).text}}`,
    () => `{"${name}":${pick(random, values).text},"schema":"\\"long\\""}`,
    () => `{${Array.from({ length: 1 + random(2000) }, (_, at) => `"k${at % 50}":${at}`).join()}}`,
    () => `\ufeff${schemaBody}`,
    () => `{"schema":"\\ud800","references":[{"name":"\\udfff","subject":"\\u0000","version":-2147483648}]}`,
    () => `{"schema":"\\"int\\"","schemaType":"${pick(random, ['JSON', 'PROTOBUF', 'avro', '__proto__', 'x'.repeat(5000)])}"}`,
    () =>
      `{"schema":"\\"int\\"","id":${pick(random, ['0', '-1', '2147483647', '2147483648', '-2147483649'])},"version":${pick(random, ['0', '-1', '7', '2147483647'])}}`
  ])()
}
