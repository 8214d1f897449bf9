/** Which of two rules comes first, and what a request means that is sent a second time: the corners of registration, look-up and delete. */
import { expect } from 'vitest'
import { type Case, fixed, no, ok, record, register } from './case.ts'

const any = expect.anything()
const has = (fields: object) => expect.objectContaining(fields)
const none = ok('PUT /config', any, { compatibility: 'NONE' })
const money = { name: 'F', subject: 'money', version: 1 }
const bill = '{"type":"record","name":"Bill","fields":[{"name":"sum","type":"F"}]}'
const badDefault = record('a=1').replace('"default":1', '"default":"x"')
const notOneMore = 'Invalid schema: Version is not one more than previous version'

export const orderCases: Case[] = [
  {
    covers: ['7 the same content', '3 mode'],
    name: 'what is registered already is answered before the mode is looked at, so clients that register on their way go on',
    steps: [
      register('s', fixed(1), has({ id: 1, version: 1 })),
      // An ID that is the right one does no harm either.
      register('s', fixed(1), has({ id: 1, version: 1 }), { id: 1 }),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: fixed(1), id: 5 }),
      ok('PUT /mode/s', any, { mode: 'READONLY' }),
      register('s', fixed(1), has({ id: 1, version: 1 })),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: fixed(2) }),
      ok('PUT /mode/s?force=true', any, { mode: 'IMPORT' }),
      register('s', fixed(1), has({ id: 1, version: 1 })),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: fixed(2) })
    ]
  },
  {
    // Java's Schema.equals does not look at the order of attributes; the canonical text does, and with it the ID under another subject.
    covers: ['7 the same content', 'what counts in the canonical text', 'look-up normalised, and in every context'],
    name: 'within a subject, the same attributes in another order are the same version',
    steps: [
      none,
      register('s', '{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}', has({ id: 1, version: 1 })),
      register('s', '{"type":"bytes","scale":2,"precision":4,"logicalType":"decimal"}', has({ id: 1, version: 1 })),
      ok('POST /subjects/s', has({ id: 1, version: 1 }), {
        schema: '{"type":"bytes","precision":4,"scale":2,"logicalType":"decimal"}'
      }),
      register('s', '{"type":"bytes","scale":3,"precision":4,"logicalType":"decimal"}', has({ id: 2, version: 2 })),
      register('t', '{"type":"bytes","scale":2,"precision":4,"logicalType":"decimal"}', has({ id: 3, version: 1 })),
      register('n', '{"type":"int","zz":1,"aa":2}', has({ id: 4, version: 1 })),
      ok('POST /subjects/n/versions?normalize=true', has({ id: 4, version: 1 }), { schema: '{"type":"int","zz":1,"aa":2}' }),
      // The way in which a default is written does count.
      register('d', '{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":1}]}', has({ version: 1 })),
      register('d', '{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":1.0}]}', has({ version: 2 }))
    ]
  },
  {
    covers: ['6 the canonical text is stored', '7 the same content'],
    name: 'what is registered already is not checked as something new',
    steps: [
      ok('PUT /config/s', any, { validateNewSchemas: false }),
      register('s', badDefault, has({ id: 1, version: 1 })),
      ok('PUT /config/s', any, { validateNewSchemas: true }),
      register('s', badDefault, has({ id: 1, version: 1 })),
      no('POST /subjects/t/versions', 422, 42201, any, { schema: badDefault })
    ]
  },
  {
    covers: ['9 an explicit version is the next', '7 the same content', '5 what is missing is inherited'],
    name: 'a version in the request asks for a new one, though the text is known',
    steps: [
      none,
      register('s', fixed(1), has({ id: 1, version: 1 })),
      no('POST /subjects/s/versions', 422, 42201, notOneMore, { schema: fixed(1), version: 1 }),
      register('s', fixed(1), has({ id: 2, version: 2, metadata: { properties: { 'confluent:version': '2' } } }), { version: 2 }),
      register('s', fixed(1), has({ id: 1, version: 1 })),
      register('s', fixed(2), has({ id: 3, version: 3, metadata: { properties: { 'confluent:version': '3' } } }))
    ]
  },
  {
    covers: ['9 an explicit version is the next', '7 the same content'],
    name: 'version -1 asks whether the latest is it, and for a new one if it is not',
    steps: [
      none,
      register('s', fixed(1), has({ id: 1, version: 1 })),
      register('s', fixed(2), has({ id: 2, version: 2 })),
      register('s', fixed(2), has({ id: 2, version: 2 }), { version: -1 }),
      register('s', fixed(1), has({ id: 3, version: 3, metadata: { properties: { 'confluent:version': '3' } } }), {
        version: -1
      }),
      register('s', fixed(1), has({ id: 3, version: 3 }), { version: -1 }),
      ok('GET /subjects/s/versions', [1, 2, 3])
    ]
  },
  {
    covers: ['10 an explicit ID keeps its content', 'IMPORT'],
    name: 'an import may be repeated, and may give one content several versions and IDs',
    steps: [
      ok('PUT /mode', any, { mode: 'IMPORT' }),
      register('s', fixed(1), has({ id: 77, version: 3 }), { id: 77, version: 3 }),
      register('s', fixed(1), has({ id: 77, version: 3 }), { id: 77, version: 3 }),
      register('s', fixed(1), has({ id: 77, version: 5 }), { id: 77, version: 5 }),
      register('s', fixed(1), has({ id: 77, version: 3 }), { id: 77, version: 3 }),
      register('s', fixed(1), has({ id: 90, version: 6 }), { id: 90, version: 6 }),
      register('s', fixed(2), has({ id: 78, version: 7 }), { id: 78 }),
      register('t', fixed(1), has({ id: 77, version: 1 }), { id: 77 }),
      ok('GET /subjects/s/versions', [3, 5, 6, 7]),
      ok('GET /schemas/ids/77/schema', JSON.parse(fixed(1))),
      ok('GET /schemas/ids/90/schema', JSON.parse(fixed(1)))
    ]
  },
  {
    covers: ['IMPORT', '8 compatibility with live versions', 'IDs count per context from 1, and are not reused'],
    name: 'an import is neither checked nor inherits, and the count goes on above it',
    steps: [
      ok('PUT /mode/s', any, { mode: 'IMPORT' }),
      register('s', record('a'), has({ id: 40, version: 1 }), {
        id: 40,
        version: 1,
        metadata: { properties: { owner: 'anna' } }
      }),
      register('s', '"string"', expect.not.objectContaining({ metadata: any }), { id: 41, version: 2 }),
      ok('DELETE /mode/s', { mode: 'IMPORT' }),
      register('u', fixed(9), has({ id: 42, version: 1 })),
      ok('GET /schemas/ids/42?fetchMaxId=true', has({ maxId: 42 }))
    ]
  },
  {
    covers: ['IMPORT', 'references guard'],
    name: 'the switch to IMPORT needs an empty subject, and takes what is left of it away',
    steps: [
      register('s', fixed(1), has({ id: 1 })),
      no('PUT /mode/s', 422, 42205, 'Cannot import since found existing subjects', { mode: 'IMPORT' }),
      ok('DELETE /subjects/s', [1]),
      ok('PUT /mode/s', { mode: 'IMPORT' }, { mode: 'IMPORT' }),
      no('GET /schemas/ids/1', 404, 40403, 'Schema 1 not found'),
      no('GET /subjects/s/versions?deleted=true', 404, 40401, any),
      // The ID that is free again may be given to another content, by who says so.
      register('s', fixed(2), has({ id: 1, version: 1 }), { id: 1, version: 1 }),
      register('money', fixed(8), any),
      register('bill', bill, any, { references: [money] }),
      ok('DELETE /subjects/bill', [1]),
      ok('DELETE /subjects/money', [1]),
      no('PUT /mode/money', 422, 42206, any, { mode: 'IMPORT' })
    ]
  },
  {
    covers: ['11 soft-deleted versions of the content make way', 'references guard'],
    name: 'a soft-deleted version that somebody still refers to does not make way',
    steps: [
      register('money', fixed(8), has({ id: 1, version: 1 })),
      register('bill', bill, any, { references: [money] }),
      ok('DELETE /subjects/bill', [1]),
      ok('DELETE /subjects/money', [1]),
      register('money', fixed(8), has({ id: 1, version: 2 })),
      ok('GET /subjects/money/versions?deleted=true', [1, 2])
    ]
  },
  {
    covers: ['1 rule set and name are validated first'],
    name: 'every rule of rules',
    steps: [
      ...[
        { type: 'CEL' },
        { name: '', type: 'CEL' },
        { name: 'a' },
        { name: '1a', type: 'CEL' },
        { name: 'a b', type: 'CEL' },
        { name: 'a', type: 'CEL', mode: 'UPGRADE' },
        { name: 'a', type: 'CEL', mode: 'WRITE', onFailure: 'NONE,ERROR' }
      ].map(rule => no('POST /subjects/s/versions', 422, 42210, any, { schema: '"int"', ruleSet: { domainRules: [rule] } })),
      no('POST /subjects/s/versions', 422, 42210, any, {
        schema: '"int"',
        ruleSet: { migrationRules: [{ name: 'a', type: 'CEL', mode: 'WRITE' }] }
      }),
      no('POST /subjects/s/versions', 422, 42210, any, {
        schema: '"int"',
        ruleSet: {
          migrationRules: [{ name: 'a', type: 'JSONATA', mode: 'UPGRADE' }],
          domainRules: [{ name: 'a', type: 'CEL', mode: 'WRITE' }]
        }
      }),
      no('PUT /config/s', 422, 42210, any, { overrideRuleSet: { domainRules: [{ name: 'a' }] } }),
      no('PUT /config', 422, 42210, any, { defaultRuleSet: { domainRules: [{ name: 'a' }] } })
    ]
  },
  {
    covers: ['metadata, ruleSet, tags', 'the guid is the content'],
    name: 'a rule is a TRANSFORM of WRITEREAD unless it says otherwise, and is the same content either way',
    steps: [
      register(
        's',
        '"int"',
        has({ id: 1, ruleSet: { domainRules: [has({ name: 'a', kind: 'TRANSFORM', mode: 'WRITEREAD', type: 'CEL' })] } }),
        { ruleSet: { domainRules: [{ name: 'a', type: 'CEL' }] } }
      ),
      register('t', '"int"', has({ id: 1 }), {
        ruleSet: { domainRules: [{ name: 'a', type: 'CEL', kind: 'TRANSFORM', mode: 'WRITEREAD' }] }
      })
    ]
  },
  {
    covers: ['look-up normalised, and in every context', '5 what is missing is inherited'],
    name: 'a look-up inherits as a registration does, and parses before it looks for the subject',
    steps: [
      register('s', fixed(1), has({ version: 1 }), { metadata: { properties: { owner: 'anna' } } }),
      ok('POST /subjects/s', has({ version: 1, metadata: { properties: { owner: 'anna' } } }), { schema: fixed(1) }),
      no('POST /subjects/s', 404, 40403, 'Schema not found', { schema: fixed(1), metadata: { properties: { owner: 'bert' } } }),
      no('POST /subjects/s', 404, 40403, 'Schema not found', {}),
      no('POST /subjects/nobody', 404, 40401, "Subject 'nobody' not found.", {}),
      no('POST /subjects/nobody', 422, 42201, any, { schema: 'nonsense' })
    ]
  },
  {
    covers: ['look-up normalised, and in every context', '7 the same content'],
    name: 'references written out, at -1, and with a version in the metadata are the same to a look-up',
    steps: [
      register('money', fixed(8), any),
      register('bill', bill, has({ id: 2 }), { references: [money] }),
      ok('POST /subjects/bill', has({ version: 1, id: 2, references: [money] }), { schema: bill.replace('"F"', fixed(8)) }),
      ok('POST /subjects/bill', has({ version: 1, id: 2 }), { schema: bill, references: [{ ...money, version: -1 }] }),
      register('v', fixed(1), has({ version: 1 }), { version: 1 }),
      ok('POST /subjects/v', has({ version: 1 }), { schema: fixed(1) }),
      ok('POST /subjects/v', has({ version: 1 }), { schema: fixed(1), metadata: { properties: { 'confluent:version': '1' } } })
    ]
  },
  {
    covers: ['a version: soft, then hard', 'references guard'],
    name: 'a hard delete asks for references before it asks for a soft delete',
    steps: [
      register('money', fixed(8), any),
      register('bill', bill, any, { references: [money] }),
      no('DELETE /subjects/money/versions/1?permanent=true', 422, 42206, any),
      no('DELETE /subjects/money?permanent=true', 422, 42206, any),
      no('DELETE /subjects/bill/versions/1?permanent=true', 404, 40407, any)
    ]
  },
  {
    covers: ['a version: soft, then hard'],
    name: 'latest is never a soft-deleted one',
    steps: [
      none,
      register('s', fixed(1), any),
      register('s', fixed(2), any),
      ok('DELETE /subjects/s/versions/latest', 2),
      ok('GET /subjects/s/versions/latest?deleted=true', has({ version: 1 })),
      no('DELETE /subjects/s/versions/latest?permanent=true', 404, 40407, any),
      ok('DELETE /subjects/s/versions/-1', 1),
      no('DELETE /subjects/s/versions/latest', 404, 40402, 'Version -1 not found.'),
      no('DELETE /subjects/s/versions/latest?permanent=true', 404, 40402, 'Version -1 not found.'),
      no('GET /subjects/s/versions/latest', 404, 40401, any),
      no('GET /subjects/s/versions/latest?deleted=true', 404, 40402, 'Version -1 not found.'),
      ok('POST /compatibility/subjects/s/versions/latest', { is_compatible: true }, { schema: '"int"' })
    ]
  },
  {
    covers: ['a subject: soft, then hard', 'references guard'],
    name: 'a subject whose versions refer to each other can be deleted whole',
    steps: [
      none,
      register('s', fixed(8), any),
      register('s', bill, has({ version: 2 }), { references: [{ name: 'F', subject: 's', version: 1 }] }),
      no('DELETE /subjects/s/versions/1', 422, 42206, any),
      ok('DELETE /subjects/s', [1, 2]),
      ok('DELETE /subjects/s?permanent=true', [1, 2]),
      ok('GET /subjects?deleted=true', [])
    ]
  },
  {
    covers: ['a subject: soft, then hard'],
    name: 'a soft delete answers what was live, a hard one what was left; one live version keeps the rest',
    steps: [
      none,
      register('s', fixed(1), any),
      register('s', fixed(2), any),
      ok('DELETE /subjects/s/versions/1', 1),
      no('DELETE /subjects/s?permanent=true', 404, 40405, any),
      ok('DELETE /subjects/s', [2]),
      ok('DELETE /subjects/s?permanent=true', [1, 2])
    ]
  },
  {
    covers: ['a subject: soft, then hard', '3 mode'],
    name: 'what is not there is told before the mode is',
    steps: [
      register('s', fixed(1), any),
      ok('PUT /mode', any, { mode: 'READONLY' }),
      no('DELETE /subjects/nobody', 404, 40401, any),
      no('DELETE /subjects/nobody/versions/1', 404, 40401, any),
      no('DELETE /subjects/s/versions/9', 404, 40402, any),
      no('DELETE /subjects/s/versions/1', 422, 42205, any),
      no('DELETE /subjects/s', 422, 42205, any),
      no('PUT /config/s', 422, 42205, any, { compatibility: 'NONE' }),
      no('PUT /config/s', 422, 42203, any, { compatibility: 'SIDEWAYS' }),
      ok('PUT /mode', any, { mode: 'READWRITE' }),
      ok('DELETE /subjects/s', [1])
    ]
  },
  {
    covers: ['soft-deleted is hidden, and served by ID'],
    name: 'lists of a subject that is soft-deleted altogether',
    steps: [
      register('s', fixed(1), any),
      ok('GET /subjects/s/versions?deletedOnly=true', []),
      ok('DELETE /subjects/s', [1]),
      no('GET /subjects/s/versions', 404, 40401, any),
      no('GET /subjects/s/versions?deletedAsNegative=true', 404, 40401, any),
      ok('GET /subjects/s/versions?deletedAsNegative=true&deleted=true', [-1]),
      ok('GET /subjects/s/versions?deletedOnly=true', [1]),
      ok('GET /subjects/s/versions/1/referencedby', []),
      ok('GET /schemas/ids/1', has({ deleted: true })),
      ok('GET /schemas/ids/1/subjects', []),
      ok('GET /schemas/ids/1/versions?deleted=true', [{ subject: 's', version: 1 }])
    ]
  }
]
