/** Settings, modes, metadata and rules, references, contexts. */
import { expect } from 'vitest'
import { type Case, fixed, no, ok, record, register } from './case.ts'

const any = expect.anything()
const has = (fields: object) => expect.objectContaining(fields)
const none = ok('PUT /config', any, { compatibility: 'NONE' })
const rule = (name: string, expr: string) => ({ name, kind: 'CONDITION', mode: 'WRITE', type: 'CEL', expr })
const levels = ['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE']
const money = { name: 'F', subject: 'money', version: 1 }
const bill = '{"type":"record","name":"Bill","fields":[{"name":"sum","type":"F"}]}'
const long = (logicalType?: string): string => JSON.stringify({ type: 'long', ...(logicalType && { logicalType }) })

export const settingCases: Case[] = [
  {
    covers: ['levels in any letter case'],
    name: 'the seven levels',
    steps: levels.flatMap(level => [
      ok('PUT /config/s', { compatibility: level }, { compatibility: level.toLowerCase() }),
      ok('GET /config/s', { compatibilityLevel: level })
    ])
  },
  {
    covers: ['alias'],
    name: 'an alias leads to its subject',
    steps: [
      register('s', fixed(1), any),
      ok('PUT /config/nick', { alias: 's' }, { alias: 's' }),
      ok('GET /subjects/nick/versions', [1]),
      ok('GET /subjects/nick/versions/1', has({ subject: 's' })),
      ok('POST /compatibility/subjects/nick/versions/1', { is_compatible: false }, { schema: fixed(2) }),
      ok('GET /config/nick', has({ alias: 's' }))
    ]
  },
  {
    covers: ['normalize', 'formats'],
    name: 'normalisation by setting; AVRO is written and read as the default type',
    steps: [
      ok('PUT /config/s', { normalize: true }, { normalize: true }),
      register('s', '{"type":"int","zz":1,"aa":2}', has({ schema: '{"type":"int","aa":2,"zz":1}', schemaType: 'AVRO' }), {
        schemaType: 'AVRO'
      })
    ]
  },
  {
    covers: ['validateFields'],
    name: 'reserved fields',
    steps: [
      ok('PUT /config/s', any, { validateFields: true }),
      register('s', record('a'), any, { metadata: { properties: { 'confluent:reserved': 'x' } } }),
      no('POST /subjects/s/versions', 409, 40901, expect.stringContaining('conflicts with the reserved field x'), {
        schema: record('a', 'x=1'),
        metadata: { properties: { 'confluent:reserved': 'x' } }
      }),
      no('POST /subjects/s/versions', 409, 40901, expect.stringContaining('reserved field x removed'), {
        schema: record('a', 'b=1'),
        metadata: { properties: { owner: 'anna' } }
      })
    ]
  },
  {
    covers: ['validateNewSchemas', 'other fields are kept'],
    name: 'laxer parsing; other settings are kept and echoed',
    steps: [
      no('POST /subjects/s/versions', 422, 42201, any, { schema: record('a=1').replace('"default":1', '"default":"x"') }),
      ok(
        'PUT /config/s',
        { validateNewSchemas: false, validateRules: true, aliasForDeks: 'd' },
        { validateNewSchemas: false, validateRules: true, aliasForDeks: 'd' }
      ),
      register('s', record('a=1').replace('"default":1', '"default":"x"'), has({ version: 1 })),
      ok('PUT /config/s', has({ validateRules: true }), { aliasForDeks: null }),
      ok('GET /config/s', { compatibilityLevel: 'BACKWARD', validateNewSchemas: false, validateRules: true })
    ]
  },
  {
    covers: ['compatibilityPolicy'],
    name: 'LOGICAL looks at logical types, too',
    steps: [
      register('s', long('timestamp-millis'), any),
      ok('POST /compatibility/subjects/s/versions', { is_compatible: true }, { schema: long() }),
      ok('PUT /config/s', has({ compatibilityPolicy: 'LOGICAL' }), { compatibilityPolicy: 'logical' }),
      ok('POST /compatibility/subjects/s/versions', { is_compatible: false }, { schema: long() }),
      ok('PUT /config/s', has({ compatibilityPolicy: 'STRICT' }), { compatibilityPolicy: 'STRICT' }),
      ok('POST /compatibility/subjects/s/versions', { is_compatible: true }, { schema: long() })
    ]
  },
  {
    covers: ['compatibilityGroup'],
    name: 'only versions of the same group are compared',
    steps: [
      ok('PUT /config/s', any, { compatibilityGroup: 'major' }),
      register('s', fixed(1), any, { metadata: { properties: { major: '1' } } }),
      no('POST /subjects/s/versions', 409, 40901, any, { schema: fixed(2), metadata: { properties: { major: '1' } } }),
      register('s', fixed(2), has({ version: 2 }), { metadata: { properties: { major: '2' } } })
    ]
  },
  {
    covers: ['defaultMetadata, overrideMetadata', 'defaultRuleSet, overrideRuleSet'],
    name: 'defaults beneath, overrides on top',
    steps: [
      ok('PUT /config/s', any, {
        defaultMetadata: { properties: { team: 'core', owner: 'nobody' } },
        overrideMetadata: { properties: { legal: 'yes' } },
        defaultRuleSet: { domainRules: [rule('a', 'default')] },
        overrideRuleSet: { domainRules: [rule('b', 'override')] }
      }),
      register(
        's',
        fixed(1),
        has({
          metadata: { properties: { legal: 'yes', owner: 'anna', team: 'core' } },
          ruleSet: { domainRules: [has({ name: 'a', expr: 'default' }), has({ name: 'b', expr: 'override' })] }
        }),
        { metadata: { properties: { owner: 'anna', legal: 'no' } }, ruleSet: { domainRules: [rule('b', 'own')] } }
      )
    ]
  },
  {
    covers: ['READWRITE, READONLY, READONLY_OVERRIDE'],
    name: 'who may write',
    steps: [
      register('s', record('a'), any),
      ok('PUT /mode', any, { mode: 'READONLY' }),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: record('a', 'b=1') }),
      no('DELETE /subjects/s', 422, 42205, any),
      ok('PUT /mode/s', any, { mode: 'READWRITE' }),
      register('s', record('a', 'b=1'), has({ version: 2 })),
      ok('PUT /mode', any, { mode: 'READONLY_OVERRIDE' }),
      no('POST /subjects/t/versions', 422, 42205, any, { schema: record('a') })
    ]
  },
  {
    covers: ['IMPORT', 'FORWARD'],
    name: 'IDs and versions as they are given',
    steps: [
      ok('PUT /mode/:.c:', any, { mode: 'IMPORT' }),
      no('POST /subjects/:.c:s/versions', 422, 42205, any, { schema: fixed(1) }),
      register(':.c:s', fixed(1), has({ id: 77, version: 3 }), { id: 77, version: 3 }),
      register(':.c:s', fixed(2), has({ id: 78, version: 9 }), { id: 78, version: 9 }),
      no('POST /subjects/:.c:t/versions', 422, 42205, any, { schema: fixed(3), id: 77 }),
      no('PUT /mode', 422, 42204, any, { mode: 'FORWARD' }),
      ok('PUT /mode/:.__GLOBAL:', { mode: 'FORWARD' }, { mode: 'FORWARD' }),
      register('s', fixed(5), has({ id: 5 }), { id: 5 })
    ]
  },
  {
    covers: ['references'],
    name: 'references, one leading to another',
    steps: [
      register('money', fixed(8), any),
      register('bill', bill, any, { references: [money] }),
      register('pile', '{"type":"array","items":"Bill"}', has({ id: 3 }), {
        references: [{ name: 'Bill', subject: 'bill', version: 1 }]
      }),
      ok('GET /schemas/ids/3/schema?format=resolved', {
        type: 'array',
        items: { ...JSON.parse(bill), fields: [{ name: 'sum', type: JSON.parse(fixed(8)) }] }
      }),
      no('POST /subjects/x/versions', 422, 42201, expect.stringContaining('No schema reference found'), {
        schema: bill,
        references: [{ ...money, version: 9 }]
      }),
      register('latest', bill, has({ references: [money] }), { references: [{ ...money, version: -1 }] })
    ]
  },
  {
    covers: ['metadata, ruleSet, tags'],
    name: 'stored, checked, part of what a schema is',
    steps: [
      none,
      register('s', fixed(1), has({ id: 1 })),
      register('s', fixed(1), has({ id: 2, version: 2 }), { metadata: { properties: { b: '1', a: '2' }, sensitive: ['b'] } }),
      ok('GET /subjects/s/versions/2', has({ metadata: { properties: { a: '2', b: '1' }, sensitive: ['b'] } })),
      register('s', fixed(1), has({ id: 3 }), { ruleSet: { domainRules: [rule('r', 'x')] } }),
      no('POST /subjects/s/versions', 422, 42210, any, {
        schema: fixed(1),
        ruleSet: { domainRules: [rule('r', 'x'), rule('r', 'y')] }
      })
    ]
  },
  {
    covers: ['contexts in both spellings'],
    name: 'a context by name and by path',
    steps: [
      ok('POST /contexts/.c/subjects/s/versions', has({ id: 1 }), { schema: fixed(1) }),
      ok('GET /subjects/:.c:s/versions', [1]),
      ok('GET /subjects/%3A.c%3As/versions', [1]),
      register('s', fixed(2), has({ id: 1 })),
      ok('GET /subjects/:.:s/versions/1/schema', JSON.parse(fixed(2))),
      ok('GET /contexts/.c/subjects/s/versions/1/schema', JSON.parse(fixed(1)))
    ]
  }
]
