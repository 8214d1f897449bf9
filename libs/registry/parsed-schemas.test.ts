import type { Schema } from '@assay/avro'
import { parseSchema } from '@assay/avro'
import { expect, test } from 'vitest'
import { type Holder, parsedSchemas } from './parsed-schemas.ts'

const schema: Schema = parseSchema('"int"')
const holder = (chars: number): Holder => ({ text: 'x'.repeat(chars), parsed: undefined, isUsed: false })

test('those that are used stay, the others go in the order in which they came', () => {
  const parsed = parsedSchemas(30)
  const all = Array.from({ length: 6 }, () => holder(10))
  for (const one of all.slice(0, 3)) parsed.keep(one, schema)
  for (const one of all) one.isUsed = false
  all[0]!.isUsed = true
  parsed.keep(all[3]!, schema)
  parsed.keep(all[4]!, schema)
  expect(all.map(one => one.parsed !== undefined)).toEqual([true, false, false, true, true, false])
})

test('one that is larger than all that may be held is held alone', () => {
  const parsed = parsedSchemas(30)
  const [small, large] = [holder(10), holder(100)]
  parsed.keep(small, schema)
  parsed.keep(large, schema)
  expect([small.parsed, large.parsed]).toEqual([undefined, schema])
  parsed.keep(small, schema)
  expect([small.parsed, large.parsed]).toEqual([schema, undefined])
})

test('what is gone makes room', () => {
  const parsed = parsedSchemas(30)
  const all = Array.from({ length: 4 }, () => holder(10))
  for (const one of all.slice(0, 3)) parsed.keep(one, schema)
  parsed.forget(all[0]!)
  parsed.keep(all[3]!, schema)
  expect(all.map(one => one.parsed !== undefined)).toEqual([false, true, true, true])
})
