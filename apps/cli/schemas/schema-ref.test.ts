import { expect, test } from 'vitest'
import { contextOf, contextPrefix, schemaRefOf, versionRefOf } from './schema-ref.ts'

test.each([
  ['7', { schemaId: 7 }],
  ['orders-value', { subject: 'orders-value', version: 'latest' }],
  ['orders-value@3', { subject: 'orders-value', version: 3 }],
  ['orders-value@latest', { subject: 'orders-value', version: 'latest' }],
  ['a@b', { subject: 'a@b', version: 'latest' }],
  ['a@b@2', { subject: 'a@b', version: 2 }],
  ['a@0', { subject: 'a@0', version: 'latest' }],
  [':.sales:orders@1', { subject: ':.sales:orders', version: 1 }]
])('%s', (text, ref) => {
  expect(schemaRefOf(text)).toEqual(ref)
})

test('a version must be named where one is deleted', () => {
  expect(versionRefOf('a@2')).toEqual({ subject: 'a', version: 2 })
  expect(() => versionRefOf('a')).toThrow('name the version, as in a@1')
})

test.each([
  [undefined, ''],
  ['', ''],
  ['.', ''],
  ['sales', ':.sales:'],
  ['.sales', ':.sales:'],
  [':.sales:', ':.sales:']
])('context %s', (name, prefix) => {
  expect(contextPrefix(name)).toBe(prefix)
})

test('a context with a colon is none', () => {
  expect(() => contextPrefix('a:b')).toThrow('no colon')
  expect(contextOf(':.sales:orders')).toBe(':.sales:')
  expect(contextOf('orders')).toBe('')
})
