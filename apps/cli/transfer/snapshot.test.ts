import type { Change } from '@assay/registry'
import { expect, test } from 'vitest'
import { keyOf } from './all-versions.ts'
import { movedTo, selected, snapshotOf } from './snapshot.ts'

const version = (subject: string, number: number, id: number, references: string[] = [], deleted = false): Change => ({
  type: 'schema',
  subject,
  version: number,
  id,
  deleted,
  content: {
    schemaType: 'AVRO',
    text: `"${subject} ${number}"`,
    references: references.map(name => ({ name, subject: name, version: 1 })),
    metadata: undefined,
    ruleSet: undefined
  }
})

const shown = (changes: Change[]): string[] =>
  snapshotOf(changes).versions.map(one => `${keyOf(one)} ${one.id}${one.deleted ? ' deleted' : ''}`)

test.each<[string, Change[], string[]]>([
  [
    'versions stand in the order of their IDs',
    [version('b', 1, 3), version('a', 2, 2), version('a', 1, 1)],
    ['a@1 1', 'a@2 2', 'b@1 3']
  ],
  ['a later record replaces an earlier one', [version('a', 1, 1), version('a', 1, 1, [], true)], ['a@1 1 deleted']],
  ['a tombstone takes a version away', [version('a', 1, 1), { type: 'tombstone', subject: 'a', version: 1 }], []],
  [
    'a deleted subject is soft-deleted up to its version',
    [version('a', 1, 1), version('a', 2, 2), { type: 'deleteSubject', subject: 'a', upTo: 1 }],
    ['a@1 1 deleted', 'a@2 2']
  ],
  [
    'a version after the delete is live again',
    [version('a', 1, 1), { type: 'deleteSubject', subject: 'a', upTo: 1 }, version('a', 1, 1)],
    ['a@1 1']
  ],
  [
    'a cleared subject loses what is soft-deleted',
    [version('a', 1, 1, [], true), version('b', 1, 2, [], true), version('a', 2, 3), { type: 'clearSubject', subject: 'a' }],
    ['b@1 2 deleted', 'a@2 3']
  ],
  [
    'a cleared context, too',
    [version(':.c:a', 1, 1, [], true), version('b', 1, 2, [], true), { type: 'clearSubject', subject: ':.c:' }],
    ['b@1 2 deleted']
  ],
  ['what is referred to comes first, whatever its ID', [version('a', 1, 1, ['z']), version('z', 1, 9)], ['z@1 9', 'a@1 1']],
  [
    'a reference is of the context of what refers',
    [version(':.c:a', 1, 1, ['z']), version(':.c:z', 1, 9), version('z', 1, 5)],
    ['z@1 5', ':.c:z@1 9', ':.c:a@1 1']
  ],
  ['references that go round do not hang', [version('a', 1, 1, ['b']), version('b', 1, 2, ['a'])], ['b@1 2', 'a@1 1']]
])('%s', (_name, changes, wanted) => {
  expect(shown(changes)).toEqual(wanted)
})

const settings: Change[] = [
  version('a', 1, 1),
  version('ab', 1, 2, [], true),
  version(':.c:a', 1, 1),
  { type: 'config', subject: null, config: { compatibilityLevel: 'FULL' } },
  { type: 'config', subject: 'a', config: { normalize: true } },
  { type: 'config', subject: 'gone', config: { normalize: true } },
  { type: 'config', subject: 'gone', config: undefined },
  { type: 'mode', subject: ':.c:', mode: 'READONLY' }
]

test('a selection has only what begins so, and what is live', () => {
  const all = snapshotOf(settings)
  expect(selected(all, { prefix: '', deleted: true })).toEqual(all)
  const some = selected(all, { prefix: 'a', deleted: false })
  expect(some.versions.map(keyOf)).toEqual(['a@1'])
  expect(some.configs.map(({ subject }) => subject)).toEqual(['a'])
  expect(some.modes).toEqual([])
})

test('what moves to a context is what stands in the default one', () => {
  const all = snapshotOf(settings)
  expect(movedTo(all, '')).toBe(all)
  const moved = movedTo(all, ':.m:')
  expect(moved.versions.map(keyOf)).toEqual([':.m:a@1', ':.m:ab@1', ':.c:a@1'])
  expect(moved.configs.map(({ subject }) => subject)).toEqual([':.m:', ':.m:a'])
  expect(moved.modes.map(({ subject }) => subject)).toEqual([':.c:'])
})
