/** Stories about settings and modes. */
import { expect } from 'vitest'
import { failure, type Story } from './stories.ts'

const notSet = (subject: string) => failure(40408, `Subject '${subject}' does not have subject-level compatibility configured`)
const rule = { name: 'checkAge', kind: 'CONDITION', mode: 'WRITE', type: 'CEL', expr: 'message.age > 0' }
const everySetting = {
  alias: 'other',
  aliasForDeks: 'keys',
  normalize: true,
  validateFields: true,
  validateNewSchemas: false,
  validateRules: true,
  compatibilityPolicy: 'STRICT',
  compatibilityGroup: 'major',
  defaultMetadata: { properties: { owner: 'us' } },
  overrideMetadata: { sensitive: ['ssn'] },
  defaultRuleSet: { domainRules: [rule] },
  overrideRuleSet: { enableAt: 'always' }
}

export const settingsStories: Story[] = [
  {
    name: 'levels',
    steps: [
      { ask: 'PUT /config', body: { compatibility: 'full_Transitive' }, answer: { compatibility: 'FULL_TRANSITIVE' } },
      { ask: 'GET /config', answer: { compatibilityLevel: 'FULL_TRANSITIVE' } },
      { ask: 'GET /config/s', status: 404, answer: notSet('s') },
      { ask: 'GET /config/s?defaultToGlobal=true', answer: { compatibilityLevel: 'FULL_TRANSITIVE' } },
      { ask: 'DELETE /config/s', status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'PUT /config/s', body: { compatibility: 'NONE' }, answer: { compatibility: 'NONE' } },
      { ask: 'GET /config/s', answer: { compatibilityLevel: 'NONE' } },
      { ask: 'PUT /config/s', body: { normalize: true }, answer: { compatibility: 'NONE', normalize: true } },
      { ask: 'GET /config/s', answer: { compatibilityLevel: 'NONE', normalize: true } },
      {
        ask: 'PUT /config/s',
        body: { compatibility: 'SIDEWAYS' },
        status: 422,
        answer: failure(
          42203,
          'Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive'
        )
      },
      { ask: 'PUT /config/s', body: {}, answer: { compatibility: 'NONE', normalize: true } },
      { ask: 'PUT /config/__GLOBAL', body: { compatibility: 'NONE' }, status: 422, answer: failure(42208, expect.any(String)) },
      { ask: 'DELETE /config/s', answer: { compatibilityLevel: 'NONE', normalize: true } },
      { ask: 'GET /config/s?defaultToGlobal=true', answer: { compatibilityLevel: 'FULL_TRANSITIVE' } },
      { ask: 'DELETE /config', answer: { compatibilityLevel: 'FULL_TRANSITIVE' } },
      { ask: 'GET /config', answer: { compatibilityLevel: 'BACKWARD' } }
    ]
  },
  {
    name: 'every setting, set and taken away by null',
    steps: [
      {
        ask: 'PUT /config/s',
        body: { ...everySetting, compatibility: 'forward', unknown: 'passed over' },
        answer: {
          ...everySetting,
          compatibility: 'FORWARD',
          defaultRuleSet: { domainRules: [{ ...rule, disabled: false }] }
        }
      },
      {
        ask: 'GET /config/s',
        answer: {
          ...everySetting,
          compatibilityLevel: 'FORWARD',
          defaultRuleSet: { domainRules: [{ ...rule, disabled: false }] }
        }
      },
      {
        ask: 'PUT /config/s',
        body: Object.fromEntries(Object.keys(everySetting).map(name => [name, null])),
        answer: { compatibility: 'FORWARD' }
      },
      { ask: 'PUT /config/s', body: { compatibility: null }, answer: {} },
      { ask: 'GET /config/s', answer: { compatibilityLevel: 'BACKWARD' } },
      {
        ask: 'PUT /config/s',
        body: { defaultMetadata: { properties: { a: 'b' }, tags: null } },
        answer: { defaultMetadata: { properties: { a: 'b' } } }
      },
      {
        ask: 'PUT /config/s',
        body: { normalize: 'yes' },
        status: 400,
        answer: failure(400, expect.stringContaining('/normalize'))
      },
      {
        ask: 'PUT /config/s',
        body: { compatibilityPolicy: 'LOOSE' },
        status: 400,
        answer: failure(400, expect.stringContaining('STRICT'))
      },
      {
        ask: 'PUT /config/s',
        body: { overrideRuleSet: { domainRules: [{ name: 'r', mode: 'READ' }] } },
        status: 422,
        answer: failure(42210, "Rule 'r': Missing rule type")
      }
    ]
  },
  {
    name: 'settings of contexts, and of the default one in all its spellings',
    steps: [
      { ask: 'PUT /config/:.:', body: { compatibility: 'NONE' }, answer: { compatibility: 'NONE' } },
      { ask: 'GET /config', answer: { compatibilityLevel: 'NONE' } },
      { ask: 'GET /config/:.', answer: { compatibilityLevel: 'NONE' } },
      { ask: 'GET /contexts/:.:/config', answer: { compatibilityLevel: 'NONE' } },
      { ask: 'PUT /contexts/sales/config', body: { compatibility: 'FULL' }, answer: { compatibility: 'FULL' } },
      { ask: 'GET /config/:.sales:', answer: { compatibilityLevel: 'FULL' } },
      { ask: 'GET /config/:.sales', answer: { compatibilityLevel: 'FULL' } },
      { ask: 'GET /config/:.sales:orders', status: 404, answer: notSet(':.sales:orders') },
      { ask: 'GET /contexts/.sales/config/orders?defaultToGlobal=true', answer: { compatibilityLevel: 'FULL' } },
      { ask: 'PUT /config/:.__GLOBAL:', body: { normalize: true }, answer: { normalize: true } },
      {
        ask: 'GET /config/:.other:orders?defaultToGlobal=true',
        answer: expect.objectContaining({ normalize: true })
      },
      { ask: 'DELETE /config/:.sales', answer: { compatibilityLevel: 'FULL' } },
      { ask: 'GET /config/:.sales:', status: 404, answer: notSet(':.sales:') }
    ]
  },
  {
    name: 'modes',
    steps: [
      { ask: 'GET /mode', answer: { mode: 'READWRITE' } },
      { ask: 'PUT /mode/s', body: { mode: 'readonly' }, answer: { mode: 'readonly' } },
      { ask: 'GET /mode/s', answer: { mode: 'READONLY' } },
      {
        ask: 'POST /subjects/s/versions',
        body: { schema: '"int"' },
        status: 422,
        answer: failure(42205, expect.stringContaining('is in read-only mode'))
      },
      { ask: 'PUT /config/s', body: { compatibility: 'NONE' }, status: 422, answer: failure(42205, expect.any(String)) },
      { ask: 'PUT /mode/s', body: { mode: null }, answer: { mode: null } },
      {
        ask: 'GET /mode/s',
        status: 404,
        answer: failure(40409, "Subject 's' does not have subject-level mode configured")
      },
      {
        ask: 'PUT /mode/s',
        body: { mode: 'NONSENSE' },
        status: 422,
        answer: failure(42204, expect.stringContaining('Invalid mode'))
      },
      { ask: 'PUT /mode/s', body: {}, status: 422, answer: failure(42204, expect.stringContaining('READWRITE')) },
      { ask: 'PUT /mode', body: { mode: 'FORWARD' }, status: 422, answer: failure(42204, expect.any(String)) },
      { ask: 'PUT /mode/:.__GLOBAL:', body: { mode: 'FORWARD' }, answer: { mode: 'FORWARD' } },
      { ask: 'DELETE /mode/:.__GLOBAL:', answer: { mode: 'FORWARD' } },
      { ask: 'DELETE /mode/s', status: 404, answer: failure(40401, "Subject 's' not found.") },
      { ask: 'PUT /mode/s', body: { mode: 'READONLY' }, answer: { mode: 'READONLY' } },
      { ask: 'DELETE /mode/s', answer: { mode: 'READONLY' } },
      { ask: 'PUT /mode/__EMPTY', body: { mode: 'READONLY' }, status: 422, answer: failure(42208, expect.any(String)) }
    ]
  },
  {
    name: 'modes of contexts, taken away with all below them',
    steps: [
      { ask: 'PUT /contexts/.c/mode', body: { mode: 'READONLY' }, answer: { mode: 'READONLY' } },
      { ask: 'PUT /mode/:.c:s', body: { mode: 'READWRITE' }, answer: { mode: 'READWRITE' } },
      { ask: 'GET /mode/:.c:t?defaultToGlobal=true', answer: { mode: 'READONLY' } },
      { ask: 'DELETE /mode/:.c:?recursive=true', answer: { mode: 'READONLY' } },
      { ask: 'GET /mode/:.c:s', status: 404, answer: failure(40409, expect.any(String)) },
      { ask: 'DELETE /mode/:.c:?recursive=true', answer: {} },
      { ask: 'DELETE /mode/:.c:', status: 404, answer: failure(40401, expect.any(String)) },
      { ask: 'PUT /mode/:.:', body: { mode: 'READONLY' }, answer: { mode: 'READONLY' } },
      { ask: 'GET /mode', answer: { mode: 'READONLY' } },
      { ask: 'DELETE /mode?recursive=true', answer: { mode: 'READONLY' } },
      { ask: 'GET /mode', answer: { mode: 'READWRITE' } }
    ]
  },
  {
    name: 'import keeps IDs and versions',
    steps: [
      { ask: 'POST /subjects/s/versions', body: { schema: '"int"' }, answer: expect.objectContaining({ id: 1 }) },
      {
        ask: 'PUT /mode',
        body: { mode: 'IMPORT' },
        status: 422,
        answer: failure(42205, 'Cannot import since found existing subjects')
      },
      { ask: 'PUT /mode?force=true', body: { mode: 'IMPORT' }, answer: { mode: 'IMPORT' } },
      {
        ask: 'POST /subjects/t/versions',
        body: { schema: '"string"' },
        status: 422,
        answer: failure(42205, 'Subject t in context . is not in read-write mode')
      },
      {
        ask: 'POST /subjects/t/versions',
        body: { schema: '"string"', id: 70, version: 7 },
        answer: expect.objectContaining({ id: 70, version: 7 })
      },
      {
        ask: 'POST /subjects/t/versions',
        body: { schema: '"long"', id: 70, version: 8 },
        status: 422,
        answer: failure(42205, expect.stringContaining('Overwrite new schema with id 70'))
      },
      { ask: 'PUT /mode', body: { mode: 'READWRITE' }, answer: { mode: 'READWRITE' } },
      { ask: 'POST /subjects/u/versions', body: { schema: '"long"' }, answer: expect.objectContaining({ id: 71, version: 1 }) }
    ]
  }
]
