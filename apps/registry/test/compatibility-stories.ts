/** Stories about compatibility: verdicts, Confluent's words, and our own findings and warnings. */
import { expect } from 'vitest'
import { failure, type Story } from './stories.ts'

const record = (...fields: string[]): string => `{"type":"record","name":"R","namespace":"n","fields":[${fields.join(',')}]}`
const id = '{"name":"id","type":"long"}'
const note = '{"name":"note","type":["null","string"],"default":null}'
const price = (precision: number): string =>
  `{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":${precision},"scale":2}}`
const other = '{"name":"other","type":"int"}'

export const compatibilityStories: Story[] = [
  {
    name: 'compatibility, in the words of Confluent',
    steps: [
      { ask: 'POST /subjects/s/versions', body: { schema: record(id) }, answer: expect.objectContaining({ id: 1 }) },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: record('{"name":"other","type":"int"}') },
        status: 409,
        answer: failure(
          40901,
          'Schema being registered is incompatible with an earlier schema for subject "s", details: [' +
            "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'other' at path '/fields/0' in the new schema has no default value and is missing in the old schema', additionalInfo:'other'}, " +
            `{oldSchemaVersion: 1}, {oldSchema: '${record(id)}'}, {validateFields: 'false', compatibility: 'BACKWARD'}]`
        )
      },
      {
        ask: 'POST /compatibility/subjects/s/versions/latest',
        body: { schema: record(id, note) },
        answer: { is_compatible: true }
      },
      {
        ask: 'POST /compatibility/subjects/s/versions/1?verbose=true',
        body: { schema: record('{"name":"other","type":"int"}') },
        answer: {
          is_compatible: false,
          messages: [
            expect.stringContaining('READER_FIELD_MISSING_DEFAULT_VALUE'),
            '{oldSchemaVersion: 1}',
            `{oldSchema: '${record(id)}'}`,
            "{validateFields: 'false', compatibility: 'BACKWARD'}"
          ],
          findings: [
            expect.objectContaining({
              type: 'READER_FIELD_MISSING_DEFAULT_VALUE',
              version: 1,
              direction: 'BACKWARD',
              path: '/fields/0',
              says: 'v2 cannot read v1',
              mend: expect.stringContaining('default'),
              rewrite: expect.any(Object)
            })
          ],
          warnings: []
        }
      },
      {
        ask: 'POST /compatibility/subjects/s/versions?verbose=true',
        body: { schema: record(id, note) },
        answer: { is_compatible: true, messages: [], findings: [], warnings: [] }
      },
      {
        ask: 'POST /compatibility/subjects/s/versions/7',
        body: { schema: '"int"' },
        status: 404,
        answer: failure(40402, 'Version 7 not found.')
      },
      {
        ask: 'POST /compatibility/subjects/unknown/versions/1',
        body: { schema: '"int"' },
        status: 404,
        answer: failure(40402, 'Version 1 not found.')
      },
      { ask: 'POST /compatibility/subjects/unknown/versions/latest', body: { schema: '"int"' }, answer: { is_compatible: true } },
      { ask: 'POST /compatibility/subjects/unknown/versions', body: { schema: '"int"' }, answer: { is_compatible: true } },
      {
        ask: 'POST /compatibility/subjects/s/versions/latest',
        body: { schema: '{' },
        status: 422,
        answer: failure(42201, expect.stringMatching(/^Invalid schema/))
      },
      {
        ask: 'POST /compatibility/subjects/s/versions/latest?verbose=true',
        body: { schema: '{' },
        answer: { is_compatible: false, messages: [expect.stringMatching(/^Invalid schema/)], findings: [], warnings: [] }
      },
      {
        ask: 'POST /subjects/s/versions?force=true',
        body: { schema: record('{"name":"other","type":"int"}') },
        answer: expect.objectContaining({ id: 2, version: 2 })
      }
    ]
  },
  {
    name: 'findings in both directions, with both sides and how to mend them',
    steps: [
      { ask: 'PUT /config/s', body: { compatibility: 'FULL' }, answer: { compatibility: 'FULL' } },
      { ask: 'POST /subjects/s/versions', body: { schema: record(id) }, answer: expect.objectContaining({ id: 1 }) },
      {
        ask: 'POST /compatibility/subjects/s/versions/latest?verbose=true',
        body: { schema: record(other) },
        answer: {
          is_compatible: false,
          messages: expect.arrayContaining(["{validateFields: 'false', compatibility: 'FULL'}"]),
          findings: [
            {
              type: 'READER_FIELD_MISSING_DEFAULT_VALUE',
              version: 1,
              direction: 'FORWARD',
              says: 'v1 cannot read v2',
              path: '/fields/0',
              readerPath: '/fields/0',
              writerPath: '/',
              place: 'value.id',
              reason: expect.stringContaining('field id has no default'),
              message: 'id',
              reader: record(id),
              writer: record(other),
              mend: expect.stringContaining('Keep the field id')
            },
            {
              type: 'READER_FIELD_MISSING_DEFAULT_VALUE',
              version: 1,
              direction: 'BACKWARD',
              says: 'v2 cannot read v1',
              path: '/fields/0',
              readerPath: '/fields/0',
              writerPath: '/',
              place: 'value.other',
              reason: expect.stringContaining('field other has no default'),
              message: 'other',
              reader: record(other),
              writer: record(id),
              mend: 'Add "default": 0 to the field other.',
              rewrite: { path: '/fields/0', add: { default: 0 } }
            }
          ],
          warnings: []
        }
      }
    ]
  },
  {
    name: 'warnings about what Java lets through',
    steps: [
      { ask: 'POST /subjects/s/versions', body: { schema: record(id, price(9)) }, answer: expect.objectContaining({ id: 1 }) },
      {
        ask: 'POST /compatibility/subjects/s/versions/latest?verbose=true',
        body: { schema: record(id, price(4)) },
        answer: {
          is_compatible: true,
          messages: [],
          findings: [],
          warnings: [expect.objectContaining({ version: 1, direction: 'BACKWARD', says: 'v2 reads v1', place: 'value.price' })]
        }
      },
      {
        ask: 'POST /compatibility/subjects/s/versions/latest',
        body: { schema: record(id, price(4)) },
        answer: { is_compatible: true }
      }
    ]
  },
  {
    name: 'what is no schema is incompatible when reasons are asked for, and else refused',
    steps: [
      { ask: 'POST /subjects/s/versions', body: { schema: '"int"' }, answer: expect.objectContaining({ id: 1 }) },
      ...['POST /compatibility/subjects/s/versions', 'POST /compatibility/subjects/s/versions/1'].flatMap(line =>
        [
          { body: { schema: '{' }, message: /^Invalid schema: line 1/ },
          { body: {}, message: /Empty schema/ },
          { body: { schema: '{}', schemaType: 'JSON' }, message: /schemaType JSON is not supported/ },
          {
            body: { schema: '"int"', references: [{ name: 'a', subject: 'b', version: 1 }] },
            message: /No schema reference found/
          }
        ].flatMap(({ body, message }) => [
          { ask: line, body, status: 422, answer: failure(42201, expect.stringMatching(message)) },
          {
            ask: `${line}?verbose=true`,
            body,
            answer: { is_compatible: false, messages: [expect.stringMatching(message)], findings: [], warnings: [] }
          }
        ])
      ),
      {
        ask: 'POST /compatibility/subjects/s/versions/0?verbose=true',
        body: { schema: '"int"' },
        status: 422,
        answer: failure(42202, expect.any(String))
      }
    ]
  }
]
