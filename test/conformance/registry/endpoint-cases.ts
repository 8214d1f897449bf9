/** Every endpoint and query parameter. */
import { expect } from 'vitest'
import { type Case, fixed, no, ok, record, register } from './case.ts'

const any = expect.anything()
const has = (fields: object) => expect.objectContaining(fields)
const tag = { schemaEntity: { entityPath: 'R.a', entityType: 'sr_field' }, tags: ['PII'] }
const rule = { name: 'checkA', kind: 'CONDITION', mode: 'WRITE', type: 'CEL', expr: 'message.a > 0' }
const money = { name: 'F', subject: 'money', version: 1 }
const bill = '{"type":"record","name":"Bill","fields":[{"name":"sum","type":"F"}]}'
const resolvedBill = `{"type":"record","name":"Bill","fields":[{"name":"sum","type":${fixed(8)}}]}`
const none = ok('PUT /config', { compatibility: 'NONE' }, { compatibility: 'NONE' })

export const endpointCases: Case[] = [
  {
    covers: ['GET /', 'GET /schemas/types', 'GET /v1/metadata/id, /version, /deployment', 'GET /master_available, /_health'],
    name: 'what the service says of itself',
    steps: [
      ok('GET /', {}),
      ok('GET /schemas/types', ['AVRO']),
      ok('GET /v1/metadata/id', has({ scope: has({ path: [], clusters: any }) })),
      ok('GET /v1/metadata/version', has({ version: expect.any(String) })),
      ok('GET /v1/metadata/deployment', any),
      ok('GET /master_available', has({ master_available: true })),
      ok('GET /_health', has({ healthy: true }))
    ]
  },
  {
    covers: [
      'GET /schemas',
      'GET /schemas subjectPrefix',
      'GET /schemas aliases',
      'GET /schemas deleted',
      'GET /schemas latestOnly',
      'GET /schemas ruleType',
      'GET /schemas offset, limit'
    ],
    name: 'the list of all versions',
    steps: [
      none,
      register('a', fixed(1), has({ id: 1 })),
      register('a', fixed(2), has({ id: 2 }), { ruleSet: { domainRules: [rule] } }),
      register('b', fixed(3), has({ id: 3 })),
      register(':.c:a', fixed(4), has({ id: 1 })),
      ok('DELETE /subjects/b', [1]),
      ok('PUT /config/nick', any, { alias: 'a' }),
      ok('GET /schemas', [has({ subject: 'a', version: 1, id: 1 }), has({ subject: 'a', version: 2, id: 2 })]),
      ok('GET /schemas?subjectPrefix=:*:', [has({ subject: ':.c:a' }), has({ subject: 'a' }), has({ subject: 'a' })]),
      ok('GET /schemas?subjectPrefix=:.c:', [has({ subject: ':.c:a', version: 1, id: 1 })]),
      ok('GET /schemas?subjectPrefix=x', []),
      ok('GET /schemas?deleted=true&subjectPrefix=b', [has({ subject: 'b', deleted: true })]),
      ok('GET /schemas?latestOnly=true', [has({ subject: 'a', version: 2 })]),
      ok('GET /schemas?ruleType=CEL', [has({ version: 2 })]),
      ok('GET /schemas?ruleType=OTHER', []),
      ok('GET /schemas?offset=1', [has({ version: 2 })]),
      ok('GET /schemas?limit=1', [has({ version: 1 })]),
      ok('GET /schemas?subjectPrefix=nick&aliases=true&latestOnly=true', [has({ subject: 'a', aliases: ['nick'] })])
    ]
  },
  {
    covers: [
      'GET /schemas/ids/{id}',
      'GET /schemas/ids/{id} subject',
      'GET /schemas/ids/{id} format',
      'GET /schemas/ids/{id} referenceFormat',
      'GET /schemas/ids/{id} findTags',
      'GET /schemas/ids/{id} fetchMaxId',
      'GET /schemas/ids/{id}/schema',
      'GET /schemas/ids/{id}/schema subject, format'
    ],
    name: 'a schema by its ID',
    steps: [
      register('money', fixed(8), has({ id: 1 })),
      register('bill', bill, has({ id: 2 }), { references: [money] }),
      register('r', record('a'), has({ id: 3 }), { schemaTagsToAdd: [tag] }),
      register(':.c:money', fixed(4), has({ id: 1 })),
      register(':.c:bill', bill, has({ id: 2 }), { references: [money] }),
      ok('GET /schemas/ids/2', has({ schema: bill, references: [money] })),
      ok('GET /schemas/ids/2?subject=bill', has({ subject: 'bill', version: 1 })),
      ok('GET /schemas/ids/1?subject=:.c:', has({ schema: fixed(4) })),
      ok('GET /schemas/ids/2?format=resolved', has({ schema: resolvedBill })),
      ok('GET /schemas/ids/2?format=unheard-of', has({ schema: bill })),
      ok(
        'GET /schemas/ids/2?subject=:.c:bill&referenceFormat=qualified',
        has({ references: [{ ...money, subject: ':.c:money' }] })
      ),
      ok('GET /schemas/ids/3?findTags=PII', has({ schemaTags: [tag] })),
      ok('GET /schemas/ids/3?findTags=*', has({ schemaTags: [tag] })),
      ok('GET /schemas/ids/1?fetchMaxId=true', has({ maxId: 3 })),
      ok('GET /schemas/ids/2/schema', JSON.parse(bill)),
      ok('GET /schemas/ids/2/schema?format=resolved', JSON.parse(resolvedBill)),
      ok('GET /schemas/ids/1/schema?subject=:.c:', JSON.parse(fixed(4))),
      no('GET /schemas/ids/9/schema', 404, 40403, any)
    ]
  },
  {
    covers: [
      'GET /schemas/ids/{id}/subjects',
      'GET /schemas/ids/{id}/subjects subject, deleted, offset, limit',
      'GET /schemas/ids/{id}/versions',
      'GET /schemas/ids/{id}/versions subject, deleted, offset, limit'
    ],
    name: 'where a schema is used',
    steps: [
      register('a', fixed(1), has({ id: 1 })),
      register('b', fixed(1), has({ id: 1 })),
      register(':.c:z', fixed(1), has({ id: 1 })),
      ok('DELETE /subjects/b', [1]),
      ok('GET /schemas/ids/1/subjects', ['a']),
      ok('GET /schemas/ids/1/subjects?deleted=true', ['a', 'b']),
      ok('GET /schemas/ids/1/subjects?deleted=true&offset=1&limit=1', ['b']),
      ok('GET /schemas/ids/1/subjects?subject=:.c:', [':.c:z']),
      ok('GET /schemas/ids/1/versions', [{ subject: 'a', version: 1 }]),
      ok('GET /schemas/ids/1/versions?deleted=true&limit=1', [{ subject: 'a', version: 1 }]),
      ok('GET /schemas/ids/1/versions?deleted=true&offset=1', [{ subject: 'b', version: 1 }]),
      ok('GET /schemas/ids/1/versions?subject=:.c:', [{ subject: ':.c:z', version: 1 }])
    ]
  },
  {
    covers: ['GET /schemas/guids/{guid}', 'GET /schemas/guids/{guid} format', 'GET /schemas/guids/{guid}/ids'],
    name: 'a schema by its GUID',
    steps: [
      register('s', '"int"', has({ guid: 'ef524ea1-b91e-7317-3d93-8ade36c1db32' })),
      register(':.c:s', '"string"', has({ id: 1 })),
      register(':.c:s2', '"int"', has({ id: 2, guid: 'ef524ea1-b91e-7317-3d93-8ade36c1db32' })),
      ok('GET /schemas/guids/ef524ea1-b91e-7317-3d93-8ade36c1db32', has({ schema: '"int"' })),
      ok('GET /schemas/guids/ef524ea1-b91e-7317-3d93-8ade36c1db32?format=resolved', has({ schema: '"int"' })),
      ok('GET /schemas/guids/ef524ea1-b91e-7317-3d93-8ade36c1db32/ids', [
        { context: '.', id: 1 },
        { context: '.c', id: 2 }
      ]),
      no('GET /schemas/guids/00000000-0000-0000-0000-000000000000', 404, 40403, any)
    ]
  },
  {
    covers: ['GET /subjects', 'GET /subjects subjectPrefix', 'GET /subjects deleted, deletedOnly', 'GET /subjects offset, limit'],
    name: 'the list of subjects',
    steps: [
      register('a', fixed(1), any),
      register('ab', fixed(1), any),
      register('b', fixed(1), any),
      register(':.c:a', fixed(1), any),
      ok('DELETE /subjects/b', [1]),
      ok('GET /subjects', [':.c:a', 'a', 'ab']),
      ok('GET /subjects?subjectPrefix=', ['a', 'ab']),
      ok('GET /subjects?subjectPrefix=ab', ['ab']),
      ok('GET /subjects?subjectPrefix=:*:a', [':.c:a', 'a', 'ab']),
      ok('GET /subjects?subjectPrefix=:.c:', [':.c:a']),
      ok('GET /subjects?deleted=true', [':.c:a', 'a', 'ab', 'b']),
      ok('GET /subjects?deletedOnly=true', ['b']),
      ok('GET /subjects?deletedOnly=true&deleted=true', ['b']),
      ok('GET /subjects?offset=1&limit=1', ['a'])
    ]
  },
  {
    covers: ['POST /subjects/{s}', 'POST /subjects/{s} normalize', 'POST /subjects/{s} format', 'POST /subjects/{s} deleted'],
    name: 'look-up',
    steps: [
      none,
      register('money', fixed(8), any),
      register('s', '{"type":"int","zz":1,"aa":2}', has({ id: 2 })),
      register('s', bill, has({ id: 3 }), { references: [money] }),
      ok('POST /subjects/s', has({ subject: 's', version: 1, id: 2 }), { schema: '{"type":"int","zz":1,"aa":2}' }),
      ok('POST /subjects/s?normalize=true', has({ version: 1, id: 2 }), { schema: '{"type":"int","zz":1,"aa":2}' }),
      ok('POST /subjects/s?format=resolved', has({ version: 2, schema: resolvedBill }), { schema: bill, references: [money] }),
      ok('DELETE /subjects/s/versions/1', 1),
      no('POST /subjects/s', 404, 40403, any, { schema: '{"type":"int","zz":1,"aa":2}' }),
      ok('POST /subjects/s?deleted=true', has({ version: 1 }), { schema: '{"type":"int","zz":1,"aa":2}' }),
      no('POST /subjects/nobody', 404, 40401, any, { schema: '"int"' })
    ]
  },
  {
    covers: ['DELETE /subjects/{s}', 'DELETE /subjects/{s} permanent'],
    name: 'delete of a subject',
    steps: [
      register('s', fixed(1), any),
      no('DELETE /subjects/s?permanent=true', 404, 40405, any),
      ok('DELETE /subjects/s', [1]),
      no('DELETE /subjects/s', 404, 40404, any),
      ok('DELETE /subjects/s?permanent=true', [1]),
      no('DELETE /subjects/s', 404, 40401, any)
    ]
  },
  {
    covers: ['GET /subjects/{s}/metadata key, value', 'GET /subjects/{s}/metadata format, deleted'],
    name: 'look-up by metadata',
    steps: [
      none,
      register('s', fixed(1), any, { metadata: { properties: { major: '1', owner: 'anna' } } }),
      register('s', fixed(2), any, { metadata: { properties: { major: '1', owner: 'bert' } } }),
      register('s', fixed(3), any, { metadata: { properties: { major: '2', owner: 'anna' } } }),
      ok('GET /subjects/s/metadata?key=major&value=1', has({ version: 2 })),
      ok('GET /subjects/s/metadata?key=major&value=1&key=owner&value=anna&format=resolved', has({ version: 1 })),
      no('GET /subjects/s/metadata?key=major&value=3', 404, 40403, any),
      ok('DELETE /subjects/s/versions/2', 2),
      ok('GET /subjects/s/metadata?key=major&value=1', has({ version: 1 })),
      ok('GET /subjects/s/metadata?key=major&value=1&deleted=true', has({ version: 2 })),
      no('GET /subjects/nobody/metadata?key=a&value=b', 404, 40401, any)
    ]
  },
  {
    covers: [
      'GET /subjects/{s}/versions',
      'GET /subjects/{s}/versions deleted, deletedOnly, deletedAsNegative',
      'GET /subjects/{s}/versions offset, limit'
    ],
    name: 'the versions of a subject',
    steps: [
      none,
      register('s', fixed(1), any),
      register('s', fixed(2), any),
      register('s', fixed(3), any),
      ok('DELETE /subjects/s/versions/2', 2),
      ok('GET /subjects/s/versions', [1, 3]),
      ok('GET /subjects/s/versions?deleted=true', [1, 2, 3]),
      ok('GET /subjects/s/versions?deletedOnly=true', [2]),
      ok('GET /subjects/s/versions?deletedAsNegative=true', [1, -2, 3]),
      ok('GET /subjects/s/versions?offset=1&limit=1', [3]),
      no('GET /subjects/nobody/versions', 404, 40401, any)
    ]
  },
  {
    covers: [
      'POST /subjects/{s}/versions',
      'POST /subjects/{s}/versions normalize',
      'POST /subjects/{s}/versions format',
      'POST /subjects/{s}/versions force'
    ],
    name: 'registration',
    steps: [
      register('s', '{"type":"int","zz":1,"aa":2}', has({ id: 1, version: 1, schema: '{"type":"int","zz":1,"aa":2}' })),
      ok('POST /subjects/t/versions?normalize=true', has({ schema: '{"type":"int","aa":2,"zz":1}' }), {
        schema: '{"type":"int","zz":1,"aa":2}'
      }),
      register('money', fixed(8), any),
      ok('POST /subjects/bill/versions?format=resolved', has({ schema: resolvedBill }), { schema: bill, references: [money] }),
      ok('PUT /config/s', any, { compatibility: 'BACKWARD' }),
      no('POST /subjects/s/versions', 409, 40901, any, { schema: '"string"' }),
      ok('POST /subjects/s/versions?force=true', has({ version: 2 }), { schema: '"string"' })
    ]
  },
  {
    covers: [
      'GET /subjects/{s}/versions/{v}',
      'GET /subjects/{s}/versions/{v} format, referenceFormat, deleted, findTags',
      'GET /subjects/{s}/versions/{v}/schema format, deleted',
      'GET /subjects/{s}/versions/{v}/referencedby deleted, offset, limit',
      'DELETE /subjects/{s}/versions/{v} permanent'
    ],
    name: 'a version',
    steps: [
      none,
      register('money', fixed(8), any),
      register('bill', bill, has({ id: 2 }), { references: [money] }),
      register('bill', record('a'), has({ id: 3 }), { schemaTagsToAdd: [tag] }),
      ok('GET /subjects/bill/versions/1', has({ subject: 'bill', version: 1, id: 2, references: [money], schema: bill })),
      ok('GET /subjects/bill/versions/latest', has({ version: 2 })),
      ok('GET /subjects/bill/versions/-1', has({ version: 2 })),
      ok('GET /subjects/bill/versions/1?format=resolved', has({ schema: resolvedBill })),
      ok('GET /subjects/bill/versions/1?referenceFormat=qualified', has({ references: [money] })),
      ok('GET /subjects/bill/versions/2?findTags=PII', has({ schemaTags: [tag] })),
      ok('GET /subjects/bill/versions/1/schema', JSON.parse(bill)),
      ok('GET /subjects/bill/versions/1/schema?format=resolved', JSON.parse(resolvedBill)),
      ok('GET /subjects/money/versions/1/referencedby', [2]),
      ok('GET /subjects/money/versions/1/referencedby?offset=1', []),
      ok('GET /subjects/money/versions/1/referencedby?limit=1', [2]),
      ok('DELETE /subjects/bill/versions/1', 1),
      ok('GET /subjects/money/versions/1/referencedby', []),
      ok('GET /subjects/money/versions/1/referencedby?deleted=true', [2]),
      no('GET /subjects/bill/versions/1', 404, 40402, any),
      ok('GET /subjects/bill/versions/1?deleted=true', has({ deleted: true })),
      ok('GET /subjects/bill/versions/1/schema?deleted=true', JSON.parse(bill)),
      no('DELETE /subjects/bill/versions/2?permanent=true', 404, 40407, any),
      ok('DELETE /subjects/bill/versions/1?permanent=true', 1),
      ok('GET /subjects/bill/versions?deleted=true', [2])
    ]
  },
  {
    covers: ['POST /subjects/{s}/versions/{v}/tags'],
    name: 'tags',
    steps: [
      register('s', record('a'), has({ version: 1 })),
      ok(
        'POST /subjects/s/versions/latest/tags',
        has({ version: 2, schema: expect.stringContaining('"confluent:tags":["PII"]') }),
        {
          tagsToAdd: [tag]
        }
      ),
      // Without the tag it is the first version again.
      ok('POST /subjects/s/versions/2/tags', has({ version: 1, schema: record('a') }), { tagsToRemove: [tag] }),
      ok('POST /subjects/s/versions/2/tags', has({ version: 3, schema: record('a') }), { newVersion: 3, tagsToRemove: [tag] }),
      ok('POST /subjects/s/versions/3/tags', has({ ruleSet: has({ domainRules: [has({ name: 'checkA' })] }) }), {
        rulesToMerge: { domainRules: [rule] }
      })
    ]
  },
  {
    covers: [
      'POST /compatibility/subjects/{s}/versions/{v} normalize, verbose',
      'POST /compatibility/subjects/{s}/versions normalize, verbose'
    ],
    name: 'compatibility',
    steps: [
      register('s', record('a'), any),
      register('s', record('a', 'b=1'), any),
      ok('POST /compatibility/subjects/s/versions/latest', { is_compatible: true }, { schema: record('a') }),
      ok('POST /compatibility/subjects/s/versions/1?normalize=true', { is_compatible: false }, { schema: record('a', 'c') }),
      ok('POST /compatibility/subjects/s/versions', { is_compatible: true }, { schema: record('a', 'c=1') }),
      ok(
        'POST /compatibility/subjects/s/versions?verbose=true&normalize=true',
        has({ is_compatible: false, messages: [expect.stringContaining('READER_FIELD_MISSING_DEFAULT_VALUE'), any, any, any] }),
        { schema: record('a', 'c') }
      ),
      no('POST /compatibility/subjects/s/versions/7', 404, 40402, any, { schema: record('a') })
    ]
  },
  {
    covers: ['GET, PUT, DELETE /config defaultToGlobal', 'GET, PUT, DELETE /config/{s} defaultToGlobal'],
    name: 'settings',
    steps: [
      ok('GET /config', { compatibilityLevel: 'BACKWARD' }),
      ok('PUT /config', { compatibility: 'FULL' }, { compatibility: 'FULL' }),
      ok('GET /config?defaultToGlobal=true', { compatibilityLevel: 'FULL' }),
      no('GET /config/s', 404, 40408, any),
      ok('GET /config/s?defaultToGlobal=true', { compatibilityLevel: 'FULL' }),
      ok('PUT /config/s', { compatibility: 'NONE' }, { compatibility: 'none' }),
      ok('GET /config/s', { compatibilityLevel: 'NONE' }),
      ok('DELETE /config/s', { compatibilityLevel: 'NONE' }),
      no('DELETE /config/s', 404, 40401, any),
      ok('DELETE /config', { compatibilityLevel: 'FULL' }),
      ok('GET /config', { compatibilityLevel: 'BACKWARD' })
    ]
  },
  {
    covers: [
      'GET, PUT, DELETE /mode defaultToGlobal, force, recursive',
      'GET, PUT, DELETE /mode/{s} defaultToGlobal, force, recursive'
    ],
    name: 'modes',
    steps: [
      ok('GET /mode', { mode: 'READWRITE' }),
      register('s', fixed(1), any),
      no('PUT /mode', 422, 42205, any, { mode: 'IMPORT' }),
      ok('PUT /mode?force=true', { mode: 'IMPORT' }, { mode: 'IMPORT' }),
      ok('GET /mode?defaultToGlobal=true', { mode: 'IMPORT' }),
      no('GET /mode/s', 404, 40409, any),
      ok('GET /mode/s?defaultToGlobal=true', { mode: 'IMPORT' }),
      ok('PUT /mode/s', { mode: 'readonly' }, { mode: 'readonly' }),
      ok('GET /mode/s', { mode: 'READONLY' }),
      ok('PUT /mode/t', { mode: 'READONLY' }, { mode: 'READONLY' }),
      ok('DELETE /mode/t', { mode: 'READONLY' }),
      no('DELETE /mode/t', 404, 40401, any),
      ok('DELETE /mode?recursive=true', { mode: 'IMPORT' }),
      no('GET /mode/s', 404, 40409, any),
      ok('GET /mode', { mode: 'READWRITE' })
    ]
  },
  {
    covers: ['GET /contexts offset, limit, contextPrefix', 'DELETE /contexts/{c}', 'any path behind /contexts/{c}'],
    name: 'contexts',
    steps: [
      ok('GET /contexts', ['.']),
      ok('POST /contexts/.c/subjects/s/versions', has({ id: 1 }), { schema: fixed(1) }),
      ok('POST /contexts/d/subjects/s/versions', has({ id: 1 }), { schema: fixed(2) }),
      ok('GET /contexts', ['.', '.c', '.d']),
      ok('GET /contexts?offset=1&limit=1', ['.c']),
      ok('GET /contexts?contextPrefix=.d', ['.d']),
      ok('GET /subjects/:.c:s/versions/1', has({ subject: ':.c:s', schema: fixed(1) })),
      ok('GET /contexts/:.c:/subjects', [':.c:s']),
      ok('GET /contexts/.c/schemas/ids/1', has({ schema: fixed(1) })),
      ok('GET /contexts/.c/schemas', [has({ subject: ':.c:s' })]),
      ok('PUT /contexts/.c/config', { compatibility: 'FULL' }, { compatibility: 'FULL' }),
      ok('GET /config/:.c:', { compatibilityLevel: 'FULL' }),
      ok('PUT /contexts/.c/mode/s', { mode: 'READONLY' }, { mode: 'READONLY' }),
      ok('GET /mode/:.c:s', { mode: 'READONLY' }),
      ok('POST /contexts/.c/compatibility/subjects/s/versions/latest', { is_compatible: true }, { schema: fixed(1) }),
      no('DELETE /contexts/.d', 422, 42211, any),
      ok('DELETE /contexts/.d/subjects/s', [1]),
      ok('DELETE /contexts/.d/subjects/s?permanent=true', [1]),
      { ask: 'DELETE /contexts/.d', status: 204, answer: '' },
      ok('GET /contexts', ['.', '.c'])
    ]
  }
]
