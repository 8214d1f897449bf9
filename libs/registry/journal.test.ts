import { describe, expect, test } from 'vitest'
import type { Change } from './changes.ts'
import type { Content } from './content.ts'
import { decodeRecord, encodeChange } from './journal.ts'

const content: Content = { schemaType: 'AVRO', text: '"string"', references: [], metadata: undefined, ruleSet: undefined }
const schema = (fields: Partial<Change & { type: 'schema' }> = {}): Change => ({
  type: 'schema',
  subject: 'orders-value',
  version: 1,
  id: 7,
  content,
  deleted: false,
  ...fields
})
const decode = (key: string | null, value: string | null) =>
  decodeRecord({ key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value) })

const KEY = '{"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1}'
// MD5 of the eight bytes `"string"`, by md5sum.
const MD5 = 'CV1xzxJVa51eMwrVdbPfXQ=='

const written: { name: string; change: Change; key: string; value: string | null }[] = [
  {
    name: 'a version',
    change: schema(),
    key: KEY,
    value: `{"subject":"orders-value","version":1,"id":7,"md5":"${MD5}","schema":"\\"string\\"","deleted":false}`
  },
  {
    name: 'a soft-deleted version',
    change: schema({ deleted: true }),
    key: KEY,
    value: `{"subject":"orders-value","version":1,"id":7,"md5":"${MD5}","schema":"\\"string\\"","deleted":true}`
  },
  { name: 'a hard delete', change: { type: 'tombstone', subject: 'orders-value', version: 1 }, key: KEY, value: null },
  {
    name: 'a subject delete',
    change: { type: 'deleteSubject', subject: 'orders-value', upTo: 3 },
    key: '{"keytype":"DELETE_SUBJECT","subject":"orders-value","magic":0}',
    value: '{"subject":"orders-value","version":3}'
  },
  {
    name: 'a cleared subject',
    change: { type: 'clearSubject', subject: 's' },
    key: '{"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}',
    value: '{"subject":"s"}'
  },
  {
    name: 'the global level',
    change: { type: 'config', subject: null, config: { compatibilityLevel: 'FULL' } },
    key: '{"keytype":"CONFIG","subject":null,"magic":0}',
    value: '{"compatibilityLevel":"FULL"}'
  },
  {
    name: 'settings of a subject in one order, whatever order they came in',
    change: { type: 'config', subject: 's', config: { compatibilityLevel: 'NONE', normalize: true, alias: 'x' } },
    key: '{"keytype":"CONFIG","subject":"s","magic":0}',
    value: '{"subject":"s","alias":"x","normalize":true,"compatibilityLevel":"NONE"}'
  },
  {
    name: 'settings taken away',
    change: { type: 'config', subject: 's', config: undefined },
    key: '{"keytype":"CONFIG","subject":"s","magic":0}',
    value: null
  },
  {
    name: 'a mode',
    change: { type: 'mode', subject: 's', mode: 'READONLY' },
    key: '{"keytype":"MODE","subject":"s","magic":0}',
    value: '{"subject":"s","mode":"READONLY"}'
  },
  {
    name: 'the highest ID, in a NOOP that other registries pass over',
    change: { type: 'maxId', context: '.', maxId: 9 },
    key: '{"keytype":"NOOP","magic":0}',
    value: '{"maxId":9}'
  },
  {
    name: 'the highest ID of another context',
    change: { type: 'maxId', context: '.c', maxId: 9 },
    key: '{"keytype":"NOOP","context":".c","magic":0}',
    value: '{"maxId":9}'
  },
  {
    name: 'a context',
    change: { type: 'context', context: '.c', exists: true },
    key: '{"keytype":"CONTEXT","tenant":"default","context":".c","magic":0}',
    value: '{"tenant":"default","context":".c"}'
  },
  {
    name: 'a context that is gone',
    change: { type: 'context', context: '.c', exists: false },
    key: '{"keytype":"CONTEXT","tenant":"default","context":".c","magic":0}',
    value: null
  },
  {
    name: 'everything cleared',
    change: { type: 'clearSubject', subject: null },
    key: '{"keytype":"CLEAR_SUBJECT","subject":null,"magic":0}',
    value: '{"subject":null}'
  },
  {
    name: 'a mode of a context',
    change: { type: 'mode', subject: ':.c:', mode: 'IMPORT' },
    key: '{"keytype":"MODE","subject":":.c:","magic":0}',
    value: '{"subject":":.c:","mode":"IMPORT"}'
  }
]

describe('records as they are written, and read again', () => {
  test.each(written)('$name', ({ change, key, value }) => {
    const record = encodeChange(change)
    expect(record.key.toString()).toBe(key)
    expect(record.value?.toString() ?? null).toBe(value)
    expect(decodeRecord(record)).toEqual(change)
  })

  test('references, metadata and rules stand between the MD5 and the text', () => {
    const rich: Content = {
      schemaType: 'JSON',
      text: '{}',
      references: [{ name: 'a.B', subject: 'b', version: 2 }],
      metadata: { properties: { owner: 'shop' } },
      ruleSet: { domainRules: [{ name: 'r', mode: 'WRITE', type: 'CEL', disabled: false }] }
    }
    const { value } = encodeChange(schema({ content: rich }))
    expect(Object.keys(JSON.parse(String(value)))).toEqual([
      'subject',
      'version',
      'id',
      'md5',
      'schemaType',
      'references',
      'metadata',
      'ruleSet',
      'schema',
      'deleted'
    ])
    expect(JSON.stringify(JSON.parse(String(value)).references)).toBe('[{"name":"a.B","subject":"b","version":2}]')
    expect(decode(KEY, String(value))).toMatchObject({ type: 'schema', content: rich })
  })
})

describe('records of other and older writers', () => {
  const cases: { name: string; key: string; value: string | null; change: unknown }[] = [
    {
      name: 'no md5, no deleted, another key order',
      key: '{"magic":1,"version":1,"subject":"orders-value","keytype":"SCHEMA"}',
      value: '{"id":7,"schema":"\\"string\\"","version":1,"subject":"orders-value"}',
      change: schema()
    },
    {
      name: 'schemaType AVRO written out, empty lists, offset and time',
      key: KEY,
      value:
        '{"subject":"orders-value","version":1,"id":7,"schemaType":"AVRO","references":[],"schema":"\\"string\\"","deleted":false,"offset":3,"ts":1}',
      change: schema()
    },
    {
      name: 'a global setting without subject in key and value',
      key: '{"keytype":"CONFIG","magic":0}',
      value: '{"compatibilityLevel":"NONE"}',
      change: { type: 'config', subject: null, config: { compatibilityLevel: 'NONE' } }
    },
    {
      name: 'a subject setting without subject in the value',
      key: '{"keytype":"CONFIG","subject":"s","magic":0}',
      value: '{"compatibilityLevel":"NONE"}',
      change: { type: 'config', subject: 's', config: { compatibilityLevel: 'NONE' } }
    },
    {
      name: 'a mode without subject',
      key: '{"keytype":"MODE","subject":null,"magic":0}',
      value: '{"mode":"IMPORT"}',
      change: { type: 'mode', subject: null, mode: 'IMPORT' }
    },
    { name: 'a NOOP', key: '{"keytype":"NOOP","magic":0}', value: null, change: undefined },
    {
      name: 'a context',
      key: '{"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}',
      value: '{"tenant":"default","context":".x"}',
      change: { type: 'context', context: '.x', exists: true }
    },
    {
      name: 'the default context, written out',
      key: '{"keytype":"DELETE_SUBJECT","subject":":.:s","magic":0}',
      value: '{"subject":":.:s","version":2}',
      change: { type: 'deleteSubject', subject: 's', upTo: 2 }
    }
  ]
  test.each(cases)('$name', ({ key, value, change }) => {
    expect(decode(key, value)).toEqual(change)
  })
})

describe('what cannot be read is told and not thrown', () => {
  const cases: { name: string; key: string | null; value: string | null; reason: string }[] = [
    { name: 'no key', key: null, value: '{}', reason: 'the key is not a JSON object' },
    { name: 'a key that is not JSON', key: 'x', value: '{}', reason: 'the key is not a JSON object' },
    { name: 'an unknown key type', key: '{"keytype":"__proto__"}', value: '{}', reason: 'keytype "__proto__" is not known' },
    { name: 'a value that is not JSON', key: KEY, value: '{', reason: 'the value is not a JSON object' },
    { name: 'no ID', key: KEY, value: '{"schema":"\\"int\\""}', reason: 'a SCHEMA value without ID' },
    {
      name: 'an ID of more than 31 bits',
      key: KEY,
      value: '{"id":2147483648,"schema":"x"}',
      reason: 'a SCHEMA value without ID'
    },
    { name: 'no text', key: KEY, value: '{"id":1}', reason: 'a SCHEMA value without schema text' },
    { name: 'no version', key: '{"keytype":"SCHEMA","subject":"s"}', value: '{"id":1}', reason: 'a SCHEMA key without version' },
    {
      name: 'references of another shape',
      key: KEY,
      value: '{"id":1,"schema":"","references":[1]}',
      reason: 'references are not a list of name, subject and version'
    },
    {
      name: 'metadata of another shape',
      key: KEY,
      value: '{"id":1,"schema":"","metadata":{"tags":{"a":1}}}',
      reason: 'metadata of another shape'
    },
    {
      name: 'rules of another shape',
      key: KEY,
      value: '{"id":1,"schema":"","ruleSet":{"domainRules":[{"name":1}]}}',
      reason: 'a rule set of another shape'
    },
    {
      name: 'a context without a name',
      key: '{"keytype":"CONTEXT","tenant":"default","magic":0}',
      value: '{}',
      reason: 'a CONTEXT key without context'
    },
    { name: 'an unknown mode', key: '{"keytype":"MODE","subject":null}', value: '{"mode":"X"}', reason: 'mode "X" is not known' }
  ]
  test.each(cases)('$name', ({ key, value, reason }) => {
    expect(decode(key, value)).toEqual({ type: 'unreadable', reason })
  })
})
