import { AssayError } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import { canonicalText } from './canonical.ts'
import { compatibilityWarnings } from './compatibility-warnings.ts'
import { hostileKinds, hostileSchema, hostileSchemas } from './hostile-schemas.fixture.ts'
import { checkLevel } from './levels.ts'
import { normalizedText } from './normalize.ts'
import { parseSchema } from './parse.ts'
import { resolvedText } from './resolved.ts'
import type { Schema } from './schema.ts'
import { tagsOf } from './tags.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? 20_261_123)
const count = Number(process.env['ASSAY_SCHEMAS'] ?? 1_000)
/** A hundred milliseconds on a quiet machine; this one may be busy with other tests. */
const millisMax = 100
const patience = 20

function timed<T>(run: () => T): { readonly result: T; readonly millis: number } {
  const start = performance.now()
  const result = run()
  return { result, millis: performance.now() - start }
}

/** Undefined when it was refused, and as it should be. */
function parsed(text: string, says: string): Schema | undefined {
  try {
    return parseSchema(text)
  } catch (error) {
    expect(error, says).toBeInstanceOf(AssayError)
    const { code, message } = error as AssayError
    expect(code, says).toBe('INVALID_SCHEMA')
    expect(message.length, says).toBeLessThan(2_200)
    return undefined
  }
}

/** What it does is done again when it took too long: only what is slow each time is slow. */
function quickly<T>(says: string, run: () => T): T {
  let last = timed(run)
  for (let again = 0; again < 3 && last.millis > millisMax; again++) last = timed(run)
  expect(last.millis, says).toBeLessThan(millisMax * patience)
  return last.result
}

test(`${count} hostile schemas are accepted or refused, each at once (seed ${seed})`, () => {
  const counted = { accepted: 0, refused: 0 }
  for (const { kind, text } of hostileSchemas(count, seed)) {
    const says = `${kind}, ${text.length} characters, seed ${seed}`
    const schema = quickly(says, () => {
      const read = parsed(text, says)
      if (read !== undefined) canonicalText(read)
      return read
    })
    counted[schema === undefined ? 'refused' : 'accepted']++
  }
  expect(Math.min(counted.accepted, counted.refused), JSON.stringify(counted)).toBeGreaterThan(count / 5)
}, 120_000)

test('there are many kinds, the same for the same seed', () => {
  expect(hostileKinds.length).toBeGreaterThanOrEqual(25)
  const texts = (from: number): string[] => [...hostileSchemas(hostileKinds.length, from)].map(({ text }) => text.slice(0, 5_000))
  expect(texts(7)).toEqual(texts(7))
  expect(texts(7)).not.toEqual(texts(8))
})

describe('what is accepted can be worked with', () => {
  test.each(hostileKinds)('%s', kind => {
    for (let round = 0; round < 2; round++) {
      const { text } = hostileSchema(kind, seed + round)
      const schema = parsed(text, kind)
      if (schema === undefined) continue
      const canonical = canonicalText(schema)
      expect(canonicalText(parseSchema(canonical)), 'canonical text is read back').toBe(canonical)
      quickly('normal form', () => normalizedText(schema))
      quickly('resolved text and tags', () => [resolvedText(schema), tagsOf(schema)])
      const other = parsed(hostileSchema(kind, seed + round + 1).text, kind) ?? schema
      quickly('warnings', () => compatibilityWarnings(schema, other))
      quickly('comparison', () => compare(schema, other))
    }
  })
})

/** Findings, or the refusal to compare any further. */
function compare(candidate: Schema, earlier: Schema): number {
  try {
    return checkLevel('FULL', candidate, [{ version: 1, schema: earlier, text: '' }]).length
  } catch (error) {
    expect((error as AssayError).code).toBe('INVALID_SCHEMA')
    return -1
  }
}

describe('the longest comparisons end', () => {
  const many = (length: number, one: (index: number) => string): string => Array.from({ length }, (_, i) => one(i)).join(',')
  const record = (name: string, fields: string): string => `{"type":"record","name":"${name}","fields":[${fields}]}`
  const union = (name: string, type: string, width: number, fields: number): string =>
    `[${many(width, i =>
      record(
        `${name}${i}`,
        many(fields, k => `{"name":"${name}${k}","type":"${type}"}`)
      )
    )}]`
  const shared = (i: number): string => `{"name":"e","type":${i === 0 ? '{"type":"enum","name":"E","symbols":["A"]}' : '"E"'}}`
  const entangled = (name: string, type: string): string =>
    `[${many(480, i => record(`R${i}`, `${many(45, k => `{"name":"${name}${k}","type":"${type}"}`)},${shared(i)}`))}]`
  const enums = (name: string, symbol: string): string =>
    `[${many(80, i => `{"type":"enum","name":"${name}${i}","symbols":[${many(1_000, k => `"${symbol}${k}"`)}]}`)}]`
  test.each([
    ['unions of records of other names', union('R', 'int', 400, 50), union('W', 'int', 400, 50)],
    ['unions of the same records with other types', union('R', 'int', 490, 50), union('R', 'string', 490, 50)],
    ['unions of records that share a type, with other types', entangled('a', 'int'), entangled('a', 'string')],
    ['unions of records that share a type, with other fields', entangled('a', 'int'), entangled('b', 'int')],
    ['unions of enums', enums('R', 'S'), enums('W', 'T')],
    [
      'fields that are all missing',
      record(
        'R',
        many(1_000, i => `{"name":"a${i}","type":["null","int"]}`)
      ),
      record('R', '')
    ],
    [
      'fields with thousands of aliases',
      record(
        'R',
        many(900, i => `{"name":"a${i}","type":"int","aliases":[${many(60, k => `"g${i}_${k}"`)}]}`)
      ),
      record(
        'R',
        many(900, i => `{"name":"b${i}","type":"int"}`)
      )
    ]
  ])('%s', (_name, reader, writer) => {
    const [own, other] = [parseSchema(reader), parseSchema(writer)]
    // FULL: both directions.
    const { millis } = timed(() => compare(own, other))
    expect(millis).toBeLessThan(3 * millisMax * patience)
  })
})
