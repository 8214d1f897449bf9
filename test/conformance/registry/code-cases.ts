/** Every error code, and what HTTP itself refuses. */
import { expect } from 'vitest'
import { type Case, fixed, no, ok, record, register } from './case.ts'

const any = expect.anything()
const money = { name: 'F', subject: 'money', version: 1 }
const bill = '{"type":"record","name":"Bill","fields":[{"name":"sum","type":"F"}]}'

export const codeCases: Case[] = [
  {
    covers: ['40401', '40402', '40403', '40408', '40409'],
    name: 'what is not there',
    steps: [
      no('GET /subjects/s/versions', 404, 40401, "Subject 's' not found."),
      no('GET /subjects/s/versions/1', 404, 40401, "Subject 's' not found."),
      register('s', fixed(1), any),
      no('GET /subjects/s/versions/2', 404, 40402, 'Version 2 not found.'),
      no('GET /schemas/ids/7', 404, 40403, 'Schema 7 not found'),
      no('POST /subjects/s', 404, 40403, 'Schema not found', { schema: fixed(2) }),
      no('GET /config/s', 404, 40408, "Subject 's' does not have subject-level compatibility configured"),
      no('GET /mode/s', 404, 40409, "Subject 's' does not have subject-level mode configured")
    ]
  },
  {
    covers: ['40404', '40405', '40406', '40407'],
    name: 'deletes out of order',
    steps: [
      register('s', fixed(1), any),
      no('DELETE /subjects/s/versions/1?permanent=true', 404, 40407, any),
      no('DELETE /subjects/s?permanent=true', 404, 40405, any),
      ok('DELETE /subjects/s/versions/1', 1),
      no('DELETE /subjects/s/versions/1', 404, 40406, any),
      no('DELETE /subjects/s', 404, 40404, any)
    ]
  },
  {
    covers: ['40901'],
    name: 'an incompatible schema',
    steps: [
      register('s', record('a'), any),
      no(
        'POST /subjects/s/versions',
        409,
        40901,
        expect.stringMatching(/^Schema being registered is incompatible with an earlier schema for subject "s", details: \[/),
        { schema: record('a', 'b') }
      )
    ]
  },
  {
    covers: ['42201', '42202', '42203', '42204', '42208', '42209', '42210', '42211'],
    name: 'what cannot be',
    steps: [
      no('POST /subjects/s/versions', 422, 42201, any, { schema: '{"type":"nothing"}' }),
      no('POST /subjects/s/versions', 422, 42201, 'Invalid schema: Empty schema', {}),
      no('POST /subjects/s/versions', 422, 42201, expect.stringContaining('this registry supports AVRO'), {
        schema: '{}',
        schemaType: 'PROTOBUF'
      }),
      no('GET /subjects/s/versions/zero', 422, 42202, any),
      no('GET /subjects/s/versions/0', 422, 42202, any),
      no('PUT /config', 422, 42203, any, { compatibility: 'SIDEWAYS' }),
      no('PUT /mode', 422, 42204, any, { mode: 'SIDEWAYS' }),
      no('POST /subjects/__GLOBAL/versions', 422, 42208, any, { schema: '"int"' }),
      no('POST /subjects/a%00b/versions', 422, 42208, any, { schema: '"int"' }),
      no('POST /subjects/s/versions', 422, 42209, any, { schema: `{"type":"string","doc":"${'x'.repeat(1 << 20)}"}` }),
      no('POST /subjects/s/versions', 422, 42210, any, { schema: '"int"', ruleSet: { domainRules: [{ name: 'r' }] } }),
      register(':.c:s', fixed(1), any),
      no('DELETE /contexts/.c', 422, 42211, any)
    ]
  },
  {
    covers: ['42205', '42206'],
    name: 'what is not permitted',
    steps: [
      register('money', fixed(8), any),
      register('bill', bill, any, { references: [money] }),
      no('DELETE /subjects/money', 422, 42206, any),
      no('DELETE /subjects/money/versions/1', 422, 42206, any),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: fixed(1), id: 100 }),
      ok('PUT /mode/s', any, { mode: 'READONLY' }),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: fixed(1) }),
      no('PUT /config/s', 422, 42205, any, { compatibility: 'NONE' }),
      no('PUT /mode', 422, 42205, any, { mode: 'IMPORT' })
    ]
  },
  {
    covers: ['unknown route', '405', 'malformed JSON'],
    name: 'what HTTP refuses',
    steps: [
      no('GET /nowhere', 404, 404, any),
      no('PUT /subjects', 405, 405, any, {}),
      no('POST /subjects/s/versions', 400, 400, any, '{"schema":'),
      no('POST /subjects/s/versions', 400, 400, any, '[1]'),
      no('POST /subjects/s/versions', 400, 400, any, { schema: 7 })
    ]
  }
]
