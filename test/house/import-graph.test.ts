import { join } from 'node:path'
import { expect, test } from 'vitest'
import { faultsOf, type Graph, readGraph } from '../../scripts/import-graph.ts'

const root = join(import.meta.dirname, '../..')

test('no import runs upward or in a circle, type imports included', () => {
  const graph = readGraph(root)
  expect(graph.files.length).toBeGreaterThan(50)
  expect(graph.imports.length).toBeGreaterThan(100)
  expect(faultsOf(graph, root)).toEqual([])
})

const bad: [string, Graph, RegExp][] = [
  [
    'an upward arrow',
    { files: ['libs/std/a.ts', 'libs/log/index.ts'], imports: [{ from: 'libs/std/a.ts', to: 'libs/log/index.ts' }] },
    /imports upward/
  ],
  [
    'a circle of files in one room',
    {
      files: ['libs/log/a.ts', 'libs/log/b.ts'],
      imports: [
        { from: 'libs/log/a.ts', to: 'libs/log/b.ts' },
        { from: 'libs/log/b.ts', to: 'libs/log/a.ts' }
      ]
    },
    /circle/
  ],
  ['a room without a floor', { files: ['libs/misplaced/a.ts'], imports: [] }, /stands on no floor/],
  [
    'a package that is not declared',
    { files: ['libs/log/a.ts', 'libs/avro/index.ts'], imports: [{ from: 'libs/log/a.ts', to: 'libs/avro/index.ts' }] },
    /does not name/
  ],
  [
    'the entry of the own room',
    { files: ['libs/log/a.ts', 'libs/log/index.ts'], imports: [{ from: 'libs/log/a.ts', to: 'libs/log/index.ts' }] },
    /own room/
  ]
]

test.each(bad)('%s is found', (_name, graph, message) => {
  expect(
    faultsOf(graph, root)
      .map(fault => fault.what)
      .join('\n')
  ).toMatch(message)
})
