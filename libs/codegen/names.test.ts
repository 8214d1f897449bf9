import { describe, expect, test } from 'vitest'
import { importPath, localNames, placesOf } from './names.ts'

describe('the place of a type', () => {
  const cases = [
    { name: 'a namespace is a folder', fullName: 'shop.orders.Order', file: 'shop/orders/Order.ts', called: 'Order' },
    { name: 'no namespace is no folder', fullName: 'Order', file: 'Order.ts', called: 'Order' },
    { name: 'a keyword gets an underscore', fullName: 'a.class', file: 'a/class_.ts', called: 'class_' },
    { name: 'a type name of TypeScript too', fullName: 'a.string', file: 'a/string_.ts', called: 'string_' },
    { name: 'a global of the generated code too', fullName: 'a.Map', file: 'a/Map_.ts', called: 'Map_' },
    { name: 'a device name of Windows too', fullName: 'aux.NUL', file: 'aux_/NUL_.ts', called: 'NUL_' },
    { name: 'node_modules would be taken for packages', fullName: 'node_modules.A', file: 'node_modules_/A.ts', called: 'A' },
    { name: 'the topic map keeps its file', fullName: 'topics', file: 'topics_2.ts', called: 'topics_2' },
    { name: 'letters of any script', fullName: 'größe.Zähler', file: 'größe/Zähler.ts', called: 'Zähler' },
    { name: 'a long name is cut', fullName: `a.${'x'.repeat(300)}`, file: `a/${'x'.repeat(100)}.ts`, called: 'x'.repeat(100) },
    { name: 'nothing leads out of the folder', fullName: '...../.x', file: '_/x.ts', called: 'x' }
  ]
  test.each(cases)('$name', ({ fullName, file, called }) => {
    expect(placesOf([fullName]).get(fullName)).toEqual({ file, name: called })
  })

  test('two names that differ by letter case get two files, whatever their order', () => {
    const places = placesOf(['a.order', 'a.Order'])
    expect(places).toEqual(placesOf(['a.Order', 'a.order']))
    expect(new Set([...places.values()].map(({ file }) => file.toLowerCase())).size).toBe(2)
  })
})

test('a name in one file is given once', () => {
  const local = localNames()
  expect([local('Status'), local('Status'), local('Status')]).toEqual(['Status', 'Status_2', 'Status_3'])
})

const paths = [
  { from: 'a/b/X.ts', to: 'a/b/Y.ts', path: './Y.ts' },
  { from: 'a/b/X.ts', to: 'a/c/Y.ts', path: '../c/Y.ts' },
  { from: 'a/b/X.ts', to: 'Y.ts', path: '../../Y.ts' },
  { from: 'X.ts', to: 'a/Y.ts', path: './a/Y.ts' },
  { from: 'a/X.ts', to: 'a/a/X.ts', path: './a/X.ts' }
]
test.each(paths)('from $from to $to it is $path', ({ from, to, path }) => {
  expect(importPath(from, to)).toBe(path)
})
