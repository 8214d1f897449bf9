/** What implementers get wrong: the order of a registration, what is the same, deletes, lists. */
import { expect } from 'vitest'
import { type Case, fixed, no, ok, record, register } from './case.ts'

const any = expect.anything()
const has = (fields: object) => expect.objectContaining(fields)
const none = ok('PUT /config', any, { compatibility: 'NONE' })
const money = { name: 'F', subject: 'money', version: 1 }
const bill = '{"type":"record","name":"Bill","fields":[{"name":"sum","type":"F"}]}'
const doc = (text: string): string => `{"type":"record","name":"D","doc":"${text}","fields":[]}`

export const semanticsCases: Case[] = [
  {
    covers: ['1 rule set and name are validated first', '3 mode'],
    name: 'rule set before name, name before the text, the text before the mode',
    steps: [
      ok('PUT /mode', any, { mode: 'READONLY' }),
      no('POST /subjects/__EMPTY/versions', 422, 42210, any, { schema: 'x', ruleSet: { domainRules: [{}] } }),
      no('POST /subjects/__EMPTY/versions', 422, 42208, any, { schema: 'x' }),
      no('POST /subjects/s/versions', 422, 42201, any, { schema: 'x' }),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: '"int"' })
    ]
  },
  {
    covers: ['2 normalize from the query or the settings', '6 the canonical text is stored', 'normalize'],
    name: 'the text as it is kept',
    steps: [
      none,
      register(
        's',
        ' {"name":"R", "type":"record","fields":[{"type":{"type":"int"},"name":"a"}]} ',
        has({ schema: record('a') })
      ),
      register('t', '{"type":"int","zz":1,"aa":2}', has({ schema: '{"type":"int","zz":1,"aa":2}' })),
      ok('POST /subjects/w/versions?normalize=true', has({ version: 1, schema: '{"type":"int","aa":2,"zz":1}' }), {
        schema: '{"type":"int","zz":1,"aa":2}'
      }),
      ok('PUT /config/u', any, { normalize: true }),
      register('u', '{"type":"int","zz":1,"aa":2}', has({ schema: '{"type":"int","aa":2,"zz":1}' }))
    ]
  },
  {
    covers: ['4 versions count on from soft-deleted ones', '9 an explicit version is the next'],
    name: 'numbers of versions',
    steps: [
      none,
      register('s', fixed(1), has({ version: 1 })),
      register('s', fixed(2), has({ version: 2 })),
      ok('DELETE /subjects/s/versions/2', 2),
      no('POST /subjects/s/versions', 422, 42201, 'Invalid schema: Version is not one more than previous version', {
        schema: fixed(3),
        version: 2
      }),
      register('s', fixed(3), has({ version: 3 }), { version: 3 })
    ]
  },
  {
    covers: ['5 what is missing is inherited'],
    name: 'text, metadata and rules of the version before',
    steps: [
      none,
      no('POST /subjects/s/versions', 422, 42201, 'Invalid schema: Empty schema', { metadata: { properties: { a: '1' } } }),
      register('s', fixed(1), any, { metadata: { properties: { a: '1' } } }),
      register('s', fixed(2), has({ metadata: { properties: { a: '1' } } })),
      ok('POST /subjects/s/versions', has({ version: 3, schema: fixed(2) }), { metadata: { properties: { a: '2' } } }),
      register('t', fixed(1), has({ metadata: { properties: { 'confluent:version': '1' } } }), { version: 1 }),
      register('t', fixed(2), has({ metadata: { properties: { 'confluent:version': '2' } } }))
    ]
  },
  {
    covers: ['7 the same content'],
    name: 'the same content is the same ID, and no new version',
    steps: [
      register('s', fixed(1), has({ id: 1, version: 1 })),
      register('s', fixed(1), has({ id: 1, version: 1 })),
      register('t', fixed(1), has({ id: 1, version: 1 })),
      register('money', fixed(8), any),
      register('bill', bill, has({ version: 1 }), { references: [money] }),
      register('bill', bill.replace('"F"', fixed(8)), has({ version: 1 })),
      register('v', fixed(1), has({ version: 1 }), { version: 1 }),
      register('v', fixed(1), has({ version: 1 }))
    ]
  },
  {
    covers: ['8 compatibility with live versions'],
    name: 'deleted versions do not count, and force skips the check',
    steps: [
      register('s', record('a'), any),
      register('s', record('a', 'b=1'), any),
      no('POST /subjects/s/versions', 409, 40901, any, { schema: '"int"' }),
      ok('POST /subjects/s/versions?force=true', has({ version: 3 }), { schema: '"int"' }),
      ok('DELETE /subjects/s/versions/3', 3),
      register('s', record('a', 'c=1'), has({ version: 4 }))
    ]
  },
  {
    covers: ['10 an explicit ID keeps its content'],
    name: 'an ID is never overwritten',
    steps: [
      ok('PUT /mode', any, { mode: 'IMPORT' }),
      register('s', fixed(1), has({ id: 5 }), { id: 5 }),
      no('POST /subjects/t/versions', 422, 42205, expect.stringContaining('Overwrite new schema with id 5'), {
        schema: fixed(2),
        id: 5
      })
    ]
  },
  {
    covers: ['11 soft-deleted versions of the content make way'],
    name: 'register, delete, register again',
    steps: [
      register('s', fixed(1), has({ version: 1 })),
      ok('DELETE /subjects/s', [1]),
      register('s', fixed(1), has({ id: 1, version: 2 })),
      ok('GET /subjects/s/versions?deleted=true', [2])
    ]
  },
  {
    covers: ['IDs count per context from 1, and are not reused'],
    name: 'IDs',
    steps: [
      register('s', fixed(1), has({ id: 1 })),
      register(':.c:s', fixed(2), has({ id: 1 })),
      ok('DELETE /subjects/s', [1]),
      ok('DELETE /subjects/s?permanent=true', [1]),
      register('s', fixed(3), has({ id: 2 })),
      register('s2', fixed(1), has({ id: 3 }))
    ]
  },
  {
    covers: ['the guid is the content', 'what counts in the canonical text'],
    name: 'doc, aliases, properties and their order count; white space does not',
    steps: [
      none,
      register('s', '"int"', has({ id: 1, guid: 'ef524ea1-b91e-7317-3d93-8ade36c1db32' })),
      register('s', '{"type":"int"}', has({ id: 1 })),
      register('s', doc('a'), has({ id: 2 })),
      register('s', doc('b'), has({ id: 3 })),
      register('s', '{"type":"int","x":1,"y":2}', has({ id: 4 })),
      register('t', '{"type":"int","y":2,"x":1}', has({ id: 5 })),
      register('s', '{"type":"fixed","name":"F","size":1,"aliases":["G"]}', has({ id: 6 })),
      register('s', fixed(1), has({ id: 7 }))
    ]
  },
  {
    covers: ['look-up normalised, and in every context'],
    name: 'look-up tries more than the letters',
    steps: [
      ok('POST /subjects/s/versions?normalize=true', any, { schema: '{"type":"int","zz":1,"aa":2}' }),
      ok('POST /subjects/s', has({ version: 1 }), { schema: '{"type":"int","zz":1,"aa":2}' }),
      register(':.c:t', fixed(1), any),
      ok('POST /subjects/t', has({ subject: ':.c:t', version: 1 }), { schema: fixed(1) })
    ]
  },
  {
    covers: ['a version: soft, then hard', 'references guard'],
    name: 'deletes of versions',
    steps: [
      register('money', fixed(8), any),
      register('bill', bill, any, { references: [money] }),
      no('DELETE /subjects/money/versions/1', 422, 42206, any),
      ok('DELETE /subjects/bill/versions/1', 1),
      ok('DELETE /subjects/money/versions/1', 1),
      no('DELETE /subjects/money/versions/1?permanent=true', 422, 42206, any),
      ok('DELETE /subjects/bill/versions/1?permanent=true', 1),
      ok('DELETE /subjects/money/versions/1?permanent=true', 1),
      ok('GET /subjects?deleted=true', [])
    ]
  },
  {
    covers: ['a subject: soft, then hard', 'soft-deleted is hidden, and served by ID'],
    name: 'deletes of subjects',
    steps: [
      none,
      register('s', fixed(1), any),
      register('s', fixed(2), any),
      ok('DELETE /subjects/s', [1, 2]),
      ok('GET /subjects', []),
      no('GET /subjects/s/versions/latest', 404, 40401, any),
      ok('GET /schemas/ids/1', has({ schema: fixed(1) })),
      ok('GET /subjects/s/versions?deleted=true', [1, 2]),
      ok('DELETE /subjects/s?permanent=true', [1, 2]),
      no('GET /schemas/ids/1', 404, 40403, any)
    ]
  },
  {
    covers: ['the number of a hard-deleted last version is used again', 'the last hard delete removes config and mode'],
    name: 'after a hard delete',
    steps: [
      none,
      register('s', fixed(1), any),
      register('s', fixed(2), has({ version: 2 })),
      ok('DELETE /subjects/s/versions/2', 2),
      ok('DELETE /subjects/s/versions/2?permanent=true', 2),
      register('s', fixed(3), has({ version: 2, id: 3 })),
      ok('PUT /config/s', any, { compatibility: 'FULL' }),
      ok('PUT /mode/s', any, { mode: 'READWRITE' }),
      ok('DELETE /subjects/s', [1, 2]),
      ok('GET /config/s', { compatibilityLevel: 'FULL' }),
      ok('DELETE /subjects/s?permanent=true', [1, 2]),
      no('GET /config/s', 404, 40408, any),
      no('GET /mode/s', 404, 40409, any)
    ]
  },
  {
    covers: [
      'compatibility of an unknown subject',
      'DELETE /config/{s} when unset is 40401, GET is 40408',
      'verbose says why a text is no schema'
    ],
    name: 'small print',
    steps: [
      no('POST /compatibility/subjects/s/versions/1', 404, 40402, any, { schema: '"int"' }),
      ok('POST /compatibility/subjects/s/versions/latest', { is_compatible: true }, { schema: '"int"' }),
      no('DELETE /config/s', 404, 40401, any),
      no('GET /config/s', 404, 40408, any),
      no('POST /compatibility/subjects/s/versions', 422, 42201, any, { schema: 'nonsense' }),
      ok('POST /compatibility/subjects/s/versions?verbose=true', has({ is_compatible: false, messages: [any] }), {
        schema: 'nonsense'
      })
    ]
  },
  {
    covers: ['list limits'],
    name: 'a page beyond the end is empty, and no limit is no limit',
    steps: [
      register('a', fixed(1), any),
      register('b', fixed(1), any),
      ok('GET /subjects?offset=9', []),
      ok('GET /subjects?limit=-1', ['a', 'b']),
      ok('GET /subjects?limit=1&offset=1', ['b'])
    ]
  }
]
