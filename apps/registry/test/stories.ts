/** Requests and their whole answers, story by story; each begins with an empty registry. */
import { expect } from 'vitest'

const INT_GUID = 'ef524ea1-b91e-7317-3d93-8ade36c1db32'
const STRING_GUID = '095d71cf-1255-6b9d-5e33-0ad575b3df5d'
/** Steps of one story: a request, and its whole answer. */
export interface Step {
  readonly ask: string
  readonly body?: unknown
  readonly status?: number
  readonly answer: unknown
}
export const failure = (error_code: number, message: unknown) => ({ error_code, message })

export interface Story {
  readonly name: string
  readonly steps: readonly Step[]
}

const written = { ts: expect.any(Number), deleted: false }

export const stories: Story[] = [
  {
    name: 'an empty registry',
    steps: [
      { ask: 'GET /', answer: {} },
      { ask: 'GET /subjects', answer: [] },
      { ask: 'GET /schemas/types', answer: ['AVRO'] },
      { ask: 'GET /config', answer: { compatibilityLevel: 'BACKWARD' } },
      { ask: 'GET /mode', answer: { mode: 'READWRITE' } },
      { ask: 'GET /mode/s', status: 404, answer: failure(40409, "Subject 's' does not have subject-level mode configured") },
      { ask: 'GET /mode/s?defaultToGlobal=true', answer: { mode: 'READWRITE' } },
      { ask: 'GET /health', answer: { status: 'ok', subjects: 0, schemas: 0, maxSchemaId: 0, journalOffset: 0 } },
      { ask: 'GET /subjects/s/versions', status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'GET /subjects/s/versions/1', status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'GET /subjects/s/versions/latest', status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'POST /subjects/s', body: { schema: '"int"' }, status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'DELETE /subjects/s', status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'DELETE /subjects/s/versions/1', status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'GET /schemas/ids/1', status: 404, answer: failure(40403, 'Schema 1 not found') },
      { ask: 'GET /schemas/ids/1/schema', status: 404, answer: failure(40403, 'Schema 1 not found') },
      { ask: 'GET /schemas/ids/1/subjects', status: 404, answer: failure(40403, 'Schema not found') },
      { ask: 'GET /schemas/ids/1/versions', status: 404, answer: failure(40403, 'Schema not found') }
    ]
  },
  {
    name: 'registration and every way to read it back',
    steps: [
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: ' {"type":"int"} ' },
        answer: { id: 1, version: 1, guid: INT_GUID, schemaType: 'AVRO', schema: '"int"' }
      },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '"int"', schemaType: 'AVRO', references: [], metadata: null },
        answer: { id: 1, version: 1, guid: INT_GUID, schemaType: 'AVRO', schema: '"int"' }
      },
      {
        ask: 'POST /subjects/t/versions?force=true',
        body: { schema: '"int"' },
        answer: { id: 1, version: 1, guid: INT_GUID, schemaType: 'AVRO', schema: '"int"' }
      },
      { ask: 'GET /subjects', answer: ['s', 't'] },
      { ask: 'GET /subjects?subjectPrefix=t', answer: ['t'] },
      { ask: 'GET /subjects?subjectPrefix=:*:', answer: ['s', 't'] },
      { ask: 'GET /subjects?offset=1&limit=5', answer: ['t'] },
      { ask: 'GET /subjects?limit=1', answer: ['s'] },
      { ask: 'GET /subjects/s/versions', answer: [1] },
      {
        ask: 'GET /subjects/s/versions/1',
        answer: { subject: 's', version: 1, id: 1, guid: INT_GUID, schemaType: 'AVRO', schema: '"int"', ...written }
      },
      {
        ask: 'GET /subjects/s/versions/-1',
        answer: { subject: 's', version: 1, id: 1, guid: INT_GUID, schemaType: 'AVRO', schema: '"int"', ...written }
      },
      { ask: 'GET /subjects/s/versions/latest/schema', answer: 'int' },
      {
        ask: 'POST /subjects/s',
        body: { schema: '{ "type": "int" }' },
        answer: { subject: 's', version: 1, id: 1, guid: INT_GUID, schemaType: 'AVRO', schema: '"int"' }
      },
      { ask: 'POST /subjects/s', body: { schema: '"long"' }, status: 404, answer: failure(40403, 'Schema not found') },
      { ask: 'GET /schemas/ids/1', answer: { guid: INT_GUID, schemaType: 'AVRO', schema: '"int"', ...written } },
      {
        ask: 'GET /schemas/ids/1?subject=t&fetchMaxId=true',
        answer: { subject: 't', version: 1, guid: INT_GUID, schemaType: 'AVRO', schema: '"int"', maxId: 1, ...written }
      },
      { ask: 'GET /schemas/ids/1/schema', answer: 'int' },
      { ask: 'GET /schemas/ids/1/subjects', answer: ['s', 't'] },
      { ask: 'GET /schemas/ids/1/subjects?subject=t', answer: ['s', 't'] },
      { ask: 'GET /schemas/ids/1/subjects?offset=1', answer: ['t'] },
      { ask: 'GET /schemas/ids/1/versions?limit=1', answer: [{ subject: 's', version: 1 }] },
      {
        ask: 'GET /schemas/ids/1/versions',
        answer: [
          { subject: 's', version: 1 },
          { subject: 't', version: 1 }
        ]
      },
      { ask: 'GET /subjects/s/versions/2', status: 404, answer: failure(40402, 'Version 2 not found.') },
      {
        ask: 'GET /subjects/s/versions/0',
        status: 422,
        answer: failure(
          42202,
          'The specified version \'0\' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"'
        )
      },
      {
        ask: 'GET /subjects/s/versions/2147483648',
        status: 422,
        answer: failure(42202, expect.stringContaining("'2147483648' is not a valid version id"))
      },
      {
        ask: 'GET /subjects/s/versions/x',
        status: 422,
        answer: failure(42202, expect.stringContaining("'x' is not a valid version id"))
      }
    ]
  },
  {
    name: 'what cannot be registered',
    steps: [
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '' },
        status: 422,
        answer: failure(42201, 'Invalid schema: Empty schema')
      },
      { ask: 'POST /subjects/s/versions', body: {}, status: 422, answer: failure(42201, 'Invalid schema: Empty schema') },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '{"type":"nope"}' },
        status: 422,
        answer: failure(42201, expect.stringMatching(/^Invalid schema: /))
      },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '{}', schemaType: 'PROTOBUF' },
        status: 422,
        answer: failure(42201, expect.stringContaining('schemaType PROTOBUF is not supported'))
      },
      {
        ask: 'POST /subjects/__GLOBAL/versions',
        body: { schema: '"int"' },
        status: 422,
        answer: failure(42208, expect.stringContaining("'__GLOBAL' is not a valid subject"))
      },
      {
        ask: 'POST /subjects/a%00b/versions',
        body: { schema: '"int"' },
        status: 422,
        answer: failure(42208, expect.stringContaining('control character'))
      },
      {
        ask: 'POST /subjects/:.__GLOBAL:s/versions',
        body: { schema: '"int"' },
        status: 422,
        answer: failure(42208, expect.stringContaining('reserved for settings'))
      },
      {
        ask: 'POST /subjects/:.ctx:/versions',
        body: { schema: '"int"' },
        status: 422,
        answer: failure(42208, expect.stringContaining('it is empty'))
      },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '"int"', id: 5 },
        status: 422,
        answer: failure(42205, 'Subject s in context . is not in import mode')
      },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '"int"', version: 3 },
        status: 422,
        answer: failure(42201, 'Invalid schema: Version is not one more than previous version')
      },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '"int"', references: [{ name: 'x', subject: 'y', version: 1 }] },
        status: 422,
        answer: failure(42201, 'Invalid schema: No schema reference found for subject "y" and version 1')
      },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '"int"', ruleSet: { domainRules: [{ name: 'r', mode: 'READ' }] } },
        status: 422,
        answer: failure(42210, "Rule 'r': Missing rule type")
      },
      { ask: 'GET /subjects', answer: [] }
    ]
  },
  {
    name: 'normalisation',
    steps: [
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '{"type":"int","z":1,"a":2}' },
        answer: expect.objectContaining({ id: 1, schema: '{"type":"int","z":1,"a":2}' })
      },
      {
        ask: 'POST /subjects/t/versions?normalize=true',
        body: { schema: '{"type":"int","z":1,"a":2}' },
        answer: expect.objectContaining({ id: 2, schema: '{"type":"int","a":2,"z":1}' })
      },
      {
        ask: 'POST /subjects/t',
        body: { schema: '{"type":"int","z":1,"a":2}' },
        answer: expect.objectContaining({ id: 2, subject: 't', version: 1 })
      },
      { ask: 'PUT /config', body: { normalize: true }, answer: { normalize: true } },
      {
        ask: 'POST /subjects/u/versions',
        body: { schema: '{"z":1,"a":2,"type":"int"}' },
        answer: expect.objectContaining({ id: 2, schema: '{"type":"int","a":2,"z":1}' })
      }
    ]
  },
  {
    name: 'soft and hard delete of versions',
    steps: [
      { ask: 'PUT /config/s', body: { compatibility: 'NONE' }, answer: { compatibility: 'NONE' } },
      { ask: 'POST /subjects/s/versions', body: { schema: '"int"' }, answer: expect.objectContaining({ id: 1 }) },
      { ask: 'POST /subjects/s/versions', body: { schema: '"string"' }, answer: expect.objectContaining({ id: 2, version: 2 }) },
      {
        ask: 'DELETE /subjects/s/versions/1?permanent=true',
        status: 404,
        answer: failure(40407, "Subject 's' Version 1 was not deleted first before being permanently deleted")
      },
      { ask: 'DELETE /subjects/s/versions/latest', answer: 2 },
      {
        ask: 'DELETE /subjects/s/versions/2',
        status: 404,
        answer: failure(40406, "Subject 's' Version 2 was soft deleted.Set permanent=true to delete permanently")
      },
      { ask: 'DELETE /subjects/s/versions/3', status: 404, answer: failure(40402, 'Version 3 not found.') },
      { ask: 'GET /subjects/s/versions', answer: [1] },
      { ask: 'GET /subjects/s/versions?deleted=true', answer: [1, 2] },
      { ask: 'GET /subjects/s/versions?deletedOnly=TRUE', answer: [2] },
      { ask: 'GET /subjects/s/versions?deletedAsNegative=true', answer: [1, -2] },
      { ask: 'GET /subjects/s/versions/2', status: 404, answer: failure(40402, 'Version 2 not found.') },
      {
        ask: 'GET /subjects/s/versions/2?deleted=true',
        answer: {
          subject: 's',
          version: 2,
          id: 2,
          guid: STRING_GUID,
          schemaType: 'AVRO',
          schema: '"string"',
          ts: expect.any(Number),
          deleted: true
        }
      },
      {
        ask: 'GET /schemas/ids/2',
        answer: { guid: STRING_GUID, schemaType: 'AVRO', schema: '"string"', ts: expect.any(Number), deleted: true }
      },
      { ask: 'GET /schemas/ids/2/versions', answer: [] },
      { ask: 'GET /schemas/ids/2/versions?deleted=true', answer: [{ subject: 's', version: 2 }] },
      { ask: 'POST /subjects/s', body: { schema: '"string"' }, status: 404, answer: failure(40403, 'Schema not found') },
      { ask: 'POST /subjects/s?deleted=true', body: { schema: '"string"' }, answer: expect.objectContaining({ version: 2 }) },
      { ask: 'DELETE /subjects/s/versions/2?permanent=true', answer: 2 },
      { ask: 'GET /schemas/ids/2', status: 404, answer: failure(40403, 'Schema 2 not found') }
    ]
  },
  {
    name: 'soft and hard delete of subjects',
    steps: [
      { ask: 'PUT /config/s', body: { compatibility: 'NONE' }, answer: { compatibility: 'NONE' } },
      { ask: 'POST /subjects/s/versions', body: { schema: '"int"' }, answer: expect.objectContaining({ id: 1 }) },
      { ask: 'POST /subjects/s/versions', body: { schema: '"string"' }, answer: expect.objectContaining({ id: 2 }) },
      {
        ask: 'DELETE /subjects/s?permanent=true',
        status: 404,
        answer: failure(40405, "Subject 's' was not deleted first before being permanently deleted")
      },
      { ask: 'DELETE /subjects/s', answer: [1, 2] },
      {
        ask: 'DELETE /subjects/s',
        status: 404,
        answer: failure(40404, "Subject 's' was soft deleted.Set permanent=true to delete permanently")
      },
      { ask: 'GET /subjects', answer: [] },
      { ask: 'GET /subjects?deleted=true', answer: ['s'] },
      { ask: 'GET /subjects?deletedOnly=true', answer: ['s'] },
      { ask: 'GET /subjects/s/versions', status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'GET /subjects/s/versions?deleted=true', answer: [1, 2] },
      { ask: 'DELETE /subjects/s?permanent=true', answer: [1, 2] },
      { ask: 'GET /subjects?deleted=true', answer: [] },
      { ask: 'GET /config/s', status: 404, answer: failure(40408, expect.any(String)) }
    ]
  },
  {
    name: 'references',
    steps: [
      {
        ask: 'POST /subjects/money/versions',
        body: { schema: '{"type":"enum","name":"Money","symbols":["EUR"]}' },
        answer: expect.objectContaining({ id: 1 })
      },
      {
        ask: 'POST /subjects/order/versions',
        body: { schema: '{"type":"array","items":"Money"}', references: [{ name: 'Money', subject: 'money', version: -1 }] },
        answer: expect.objectContaining({
          id: 2,
          references: [{ name: 'Money', subject: 'money', version: 1 }],
          schema: '{"type":"array","items":"Money"}'
        })
      },
      { ask: 'GET /subjects/money/versions/1/referencedby', answer: [2] },
      {
        ask: 'DELETE /subjects/money',
        status: 422,
        answer: failure(42206, 'One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=money,version=1}.')
      },
      {
        ask: 'GET /schemas/ids/2',
        answer: expect.objectContaining({ references: [{ name: 'Money', subject: 'money', version: 1 }] })
      }
    ]
  },
  {
    name: 'subjects with every kind of character',
    steps: ['a/b', 'é ü', '%', 'a..b', '💶', '__proto__', 'constructor', 'x'.repeat(1024)].map(subject => ({
      ask: `POST /subjects/${encodeURIComponent(subject)}/versions`,
      body: { schema: '"int"' },
      answer: expect.objectContaining({ id: 1, version: 1 })
    }))
  }
]
