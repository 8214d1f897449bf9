/** What a setting, a mode, an alias and a context reach, and what each level of compatibility asks for. */
import { expect } from 'vitest'
import { type Case, fixed, no, ok, record, register } from './case.ts'

const any = expect.anything()
const has = (fields: object) => expect.objectContaining(fields)
const unordered = '{"type":"int","zz":1,"aa":2}'
const ordered = '{"type":"int","aa":2,"zz":1}'

/** Under a level, with these versions registered, whether each of these may come next. */
function level(
  name: string,
  versions: readonly string[],
  next: readonly (readonly [schema: string, isCompatible: boolean])[]
): Case {
  return {
    covers: ['levels in any letter case', '8 compatibility with live versions'],
    name: `what ${name} asks for`,
    steps: [
      ...versions.map(schema => ok('POST /subjects/s/versions?force=true', any, { schema })),
      ok('PUT /config/s', any, { compatibility: name }),
      ...next.map(([schema, isCompatible]) =>
        ok('POST /compatibility/subjects/s/versions', { is_compatible: isCompatible }, { schema })
      )
    ]
  }
}

const added = record('a', 'b')
const addedWithDefault = record('a', 'b=1')
const removed = '{"type":"record","name":"R","fields":[]}'
const removedWithDefault = record('c=1')

export const scopeCases: Case[] = [
  level(
    'BACKWARD',
    [record('z'), record('a')],
    [
      [added, false],
      [addedWithDefault, true],
      [removed, true],
      [record('a', 'z'), false]
    ]
  ),
  level(
    'BACKWARD_TRANSITIVE',
    [removed, record('a=1'), record('a')],
    [
      [record('a'), false],
      [record('a=1'), true],
      [removed, true]
    ]
  ),
  level(
    'FORWARD',
    [record('z'), record('a')],
    [
      [added, true],
      [addedWithDefault, true],
      [removed, false],
      [removedWithDefault, false]
    ]
  ),
  level(
    'FORWARD_TRANSITIVE',
    [record('z'), record('a')],
    [
      [added, false],
      [record('a', 'z'), true]
    ]
  ),
  level(
    'FULL',
    [record('z'), record('a', 'c=1')],
    [
      [record('a'), true],
      [record('a', 'b=1'), true],
      [record('a', 'b'), false],
      [record('c=1'), false]
    ]
  ),
  level(
    'FULL_TRANSITIVE',
    [record('a'), record('a', 'c=1'), record('a', 'c=1', 'd=1')],
    [
      [record('a', 'e=1'), true],
      [record('a', 'c'), false],
      [record('c=1'), false]
    ]
  ),
  level('NONE', [record('a')], [['"string"', true]]),
  {
    covers: ['GET, PUT, DELETE /config/{s} defaultToGlobal', 'normalize', 'other fields are kept'],
    name: 'a subject with settings of its own takes those that it lacks from the global ones',
    steps: [
      ok('PUT /config', any, { compatibility: 'FULL', normalize: true, compatibilityGroup: 'major' }),
      ok('PUT /config/s', any, { compatibility: 'NONE' }),
      ok('GET /config/s', { compatibilityLevel: 'NONE' }),
      ok('GET /config/s?defaultToGlobal=true', { compatibilityLevel: 'NONE', normalize: true, compatibilityGroup: 'major' }),
      register('s', unordered, has({ schema: ordered })),
      ok('GET /config/u?defaultToGlobal=true', { compatibilityLevel: 'FULL', normalize: true, compatibilityGroup: 'major' })
    ]
  },
  {
    // Confluent's registry fills in BACKWARD here, which loosens a stricter level without a word: docs/decisions/009-settings-in-scope.md.
    covers: ['levels in any letter case', 'GET, PUT, DELETE /config/{s} defaultToGlobal'],
    name: 'a subject with settings, but without a level among them, keeps the level of the registry',
    steps: [
      ok('PUT /config', any, { compatibility: 'FULL' }),
      ok('PUT /config/s', { validateFields: false }, { validateFields: false }),
      ok('GET /config/s', { compatibilityLevel: 'FULL', validateFields: false }),
      ok('GET /config/s?defaultToGlobal=true', { compatibilityLevel: 'FULL', validateFields: false })
    ]
  },
  {
    covers: ['contexts in both spellings', 'GET, PUT, DELETE /config/{s} defaultToGlobal'],
    name: 'settings of the default context are not those of another; those of the global one are',
    steps: [
      ok('PUT /config', any, { compatibility: 'NONE' }),
      ok('GET /config/:.c:s?defaultToGlobal=true', { compatibilityLevel: 'BACKWARD' }),
      no('GET /config/:.c:', 404, 40408, any),
      ok('PUT /config/:.__GLOBAL:', any, { compatibility: 'FULL' }),
      ok('GET /config/:.c:s?defaultToGlobal=true', { compatibilityLevel: 'FULL' }),
      ok('GET /config/s?defaultToGlobal=true', { compatibilityLevel: 'NONE' }),
      ok('PUT /config/:.c:', any, { compatibility: 'FORWARD' }),
      ok('GET /config/:.c:s?defaultToGlobal=true', { compatibilityLevel: 'FORWARD' }),
      ok('PUT /config/:.:', { compatibility: 'FULL_TRANSITIVE' }, { compatibility: 'FULL_TRANSITIVE' }),
      ok('GET /config', { compatibilityLevel: 'FULL_TRANSITIVE' })
    ]
  },
  {
    covers: ['READWRITE, READONLY, READONLY_OVERRIDE', 'GET, PUT, DELETE /mode defaultToGlobal, force, recursive'],
    name: 'modes: subject, then context, then the global one',
    steps: [
      ok('PUT /mode', any, { mode: 'READONLY' }),
      register(':.c:s', fixed(1), any),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: fixed(1) }),
      ok('DELETE /mode', { mode: 'READONLY' }),
      ok('PUT /mode/:.__GLOBAL:', { mode: 'READONLY' }, { mode: 'READONLY' }),
      ok('GET /mode', { mode: 'READWRITE' }),
      ok('GET /mode?defaultToGlobal=true', { mode: 'READONLY' }),
      ok('GET /mode/:.c:s?defaultToGlobal=true', { mode: 'READONLY' }),
      no('POST /subjects/:.c:s/versions', 422, 42205, any, { schema: fixed(2) }),
      no('POST /subjects/s/versions', 422, 42205, any, { schema: fixed(2) }),
      ok('PUT /mode/:.c:', any, { mode: 'READWRITE' }),
      ok('GET /mode/:.c:s?defaultToGlobal=true', { mode: 'READWRITE' }),
      ok('DELETE /mode/:.__GLOBAL:', { mode: 'READONLY' }),
      no('GET /mode/:.d:', 404, 40409, any)
    ]
  },
  {
    covers: ['READWRITE, READONLY, READONLY_OVERRIDE'],
    name: "a subject's own mode holds against READONLY_OVERRIDE, too, which is no more than READONLY by now",
    steps: [
      ok('PUT /mode/s', any, { mode: 'READWRITE' }),
      ok('PUT /mode', any, { mode: 'READONLY_OVERRIDE' }),
      ok('GET /mode/s?defaultToGlobal=true', { mode: 'READWRITE' }),
      ok('GET /mode/t?defaultToGlobal=true', { mode: 'READONLY_OVERRIDE' }),
      register('s', fixed(1), any)
    ]
  },
  {
    covers: ['GET, PUT, DELETE /mode/{s} defaultToGlobal, force, recursive'],
    name: 'recursive takes the modes of a context away with its own, also when it has none; force imports over what is there',
    steps: [
      ok('PUT /mode/:.c:s', any, { mode: 'READONLY' }),
      ok('PUT /mode/:.c:t', any, { mode: 'READONLY' }),
      ok('PUT /mode/:.d:s', any, { mode: 'READONLY' }),
      no('DELETE /mode/:.c:', 404, 40401, any),
      ok('DELETE /mode/:.c:?recursive=true', {}),
      no('GET /mode/:.c:s', 404, 40409, any),
      no('GET /mode/:.c:t', 404, 40409, any),
      ok('GET /mode/:.d:s', { mode: 'READONLY' }),
      ok('PUT /mode/:.c:', any, { mode: 'READONLY' }),
      ok('PUT /mode/:.c:s', any, { mode: 'READONLY' }),
      ok('DELETE /mode/:.c:', { mode: 'READONLY' }),
      ok('GET /mode/:.c:s', { mode: 'READONLY' }),
      register('u', fixed(1), any),
      no('PUT /mode/u', 422, 42205, any, { mode: 'IMPORT' }),
      ok('PUT /mode/u?force=true', { mode: 'IMPORT' }, { mode: 'IMPORT' }),
      ok('GET /subjects/u/versions', [1])
    ]
  },
  {
    covers: ['IMPORT', 'contexts in both spellings'],
    name: 'IMPORT of a context, or of all, counts what is in it',
    steps: [
      register('s', fixed(1), any),
      ok('PUT /mode/:.c:', { mode: 'IMPORT' }, { mode: 'IMPORT' }),
      register(':.c:s', fixed(1), has({ id: 12 }), { id: 12 }),
      ok('DELETE /mode/:.c:', { mode: 'IMPORT' }),
      no('PUT /mode/:.c:', 422, 42205, any, { mode: 'IMPORT' }),
      no('PUT /mode', 422, 42205, any, { mode: 'IMPORT' }),
      no('PUT /mode/:.__GLOBAL:', 422, 42205, any, { mode: 'IMPORT' })
    ]
  },
  {
    covers: ['alias'],
    name: 'an alias is followed wherever a subject is named, and within its context',
    steps: [
      ok('PUT /config/nick', any, { alias: 's' }),
      register('nick', fixed(1), has({ id: 1, version: 1 })),
      ok('GET /subjects', ['s']),
      ok('POST /subjects/nick', has({ subject: 's', version: 1 }), { schema: fixed(1) }),
      ok('GET /schemas/ids/1?subject=nick', has({ subject: 's', version: 1 })),
      ok('GET /subjects/nick/versions/1/schema', JSON.parse(fixed(1))),
      register(':.c:s', fixed(2), any),
      ok('PUT /config/:.c:nick', any, { alias: 's' }),
      ok('GET /contexts/.c/subjects/nick/versions/1', has({ subject: ':.c:s' })),
      ok('DELETE /subjects/nick', [1]),
      ok('GET /subjects?subjectPrefix=', []),
      ok('PUT /config/nick', any, { alias: null }),
      no('GET /subjects/nick/versions', 404, 40401, "Subject 'nick' not found.")
    ]
  },
  {
    covers: ['contexts in both spellings', 'any path behind /contexts/{c}'],
    name: 'a name that bears a context keeps it behind the path of another',
    steps: [
      register(':.c:s', fixed(1), has({ id: 1 })),
      register(':.d:s', fixed(2), has({ id: 1 })),
      ok('GET /contexts/.c/subjects/:.d:s/versions/1', has({ subject: ':.d:s', schema: fixed(2) })),
      ok('GET /contexts/.c/schemas/ids/1?subject=:.d:', has({ schema: fixed(2) })),
      ok('GET /contexts/.c/schemas/ids/1/versions', [{ subject: ':.c:s', version: 1 }]),
      ok('GET /contexts/.c/subjects?subjectPrefix=s', [':.c:s']),
      ok('GET /contexts/:.c:/subjects/s/versions', [1]),
      ok('POST /contexts/c/subjects/s', has({ subject: ':.c:s' }), { schema: fixed(1) }),
      ok('GET /contexts/.c/mode/s?defaultToGlobal=true', { mode: 'READWRITE' }),
      ok('DELETE /contexts/.c/subjects/s/versions/1', 1),
      ok('GET /contexts/:.:/subjects', [])
    ]
  },
  {
    covers: ['GET /schemas/ids/{id} subject', 'look-up normalised, and in every context'],
    name: 'a name without a context is looked for in every context',
    steps: [
      register('other', fixed(1), has({ id: 1 })),
      register(':.c:s', fixed(2), has({ id: 1 })),
      ok('GET /schemas/ids/1?subject=s', has({ subject: ':.c:s', version: 1, schema: fixed(2) })),
      ok('GET /schemas/ids/1?subject=nobody', has({ subject: 'other', schema: fixed(1) })),
      ok('GET /schemas/ids/1', has({ schema: fixed(1) })),
      ok('GET /subjects/s/versions/1', has({ subject: ':.c:s', version: 1 })),
      ok('GET /subjects/s/versions/latest/schema', JSON.parse(fixed(2))),
      // Lists and deletes are not.
      no('GET /subjects/s/versions', 404, 40401, any),
      no('DELETE /subjects/s', 404, 40401, any)
    ]
  },
  {
    covers: ['references', 'contexts in both spellings'],
    name: 'a reference without a context stays in that of its schema, and may name another',
    steps: [
      register(':.c:money', fixed(8), any),
      register(':.d:bill', '{"type":"array","items":"F"}', has({ id: 1 }), {
        references: [{ name: 'F', subject: ':.c:money', version: 1 }]
      }),
      no('POST /subjects/:.d:other/versions', 422, 42201, expect.stringContaining('No schema reference found'), {
        schema: '{"type":"array","items":"F"}',
        references: [{ name: 'F', subject: 'money', version: 1 }]
      }),
      ok('GET /subjects/:.c:money/versions/1/referencedby', [1]),
      no('DELETE /subjects/:.c:money', 422, 42206, any)
    ]
  },
  {
    covers: ['DELETE /contexts/{c}', 'GET /contexts offset, limit, contextPrefix'],
    name: 'a context is gone when it is deleted, not when it is empty',
    steps: [
      register(':.c:s', fixed(1), has({ id: 1 })),
      ok('DELETE /subjects/:.c:s', [1]),
      no('DELETE /contexts/.c', 422, 42211, any),
      ok('DELETE /subjects/:.c:s?permanent=true', [1]),
      ok('GET /contexts', ['.', '.c']),
      { ask: 'DELETE /contexts/:.c:', status: 204, answer: '' },
      ok('GET /contexts', ['.']),
      { ask: 'DELETE /contexts/.never', status: 204, answer: '' },
      register(':.c:s', fixed(2), has({ version: 1 })),
      ok('GET /contexts?contextPrefix=.c&offset=0&limit=5', ['.c']),
      ok('GET /contexts?contextPrefix=.x', [])
    ]
  },
  {
    covers: ['the guid is the content', 'GET /schemas/guids/{guid}/ids'],
    name: 'metadata, rules and references are part of what a content is; where it lies is not',
    steps: [
      register('s', '"int"', has({ guid: 'ef524ea1-b91e-7317-3d93-8ade36c1db32' })),
      register('t', '"int"', expect.not.objectContaining({ guid: 'ef524ea1-b91e-7317-3d93-8ade36c1db32' }), {
        metadata: { properties: { a: '1' } }
      }),
      ok('GET /schemas/guids/ef524ea1-b91e-7317-3d93-8ade36c1db32/ids', [{ context: '.', id: 1 }]),
      ok('GET /schemas/guids/00000000-0000-0000-0000-000000000000/ids', [])
    ]
  },
  {
    covers: ['list limits', 'POST /compatibility/subjects/{s}/versions normalize, verbose'],
    name: 'a limit of 0 is no limit; verbose says so when there is nothing to say',
    steps: [
      register('a', record('a'), any),
      register('b', record('a'), any),
      ok('GET /subjects?limit=0', ['a', 'b']),
      ok('GET /schemas?limit=0', [any, any]),
      ok('GET /contexts?limit=0', ['.']),
      ok('POST /compatibility/subjects/a/versions?verbose=true', has({ is_compatible: true, messages: [] }), {
        schema: record('a')
      }),
      no('POST /compatibility/subjects/a/versions', 422, 42201, 'Invalid schema: Empty schema', {}),
      ok(
        'POST /compatibility/subjects/a/versions/1?verbose=true',
        has({ is_compatible: false, messages: [expect.stringContaining('Empty schema')] }),
        {}
      )
    ]
  }
]
