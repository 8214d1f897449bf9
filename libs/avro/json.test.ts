import { describe, expect, test } from 'vitest'
import { JsonError, locate, parseJson, printPath } from './json.ts'
import { printDouble, printJson } from './json-text.ts'

function faultOf(text: string): JsonError {
  try {
    parseJson(text)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
  throw new Error(`${text} was accepted`)
}

describe('parseJson', () => {
  test.each([
    ['{"b":1,"a":2,"b":3}', '{"b":3,"a":2}', 'the last of two equal keys wins, at the place of the first'],
    ['[1.0, 1, -0, 1e2, 12345678901234567890]', '[1.0,1,0,100.0,12345678901234567890]', 'numbers keep what they are'],
    ['{"__proto__":{"x":1},"constructor":2}', '{"__proto__":{"x":1},"constructor":2}', 'no key is special'],
    ['/* a */ [1, // b\n 2]', '[1,2]', 'comments are passed'],
    ['"\\u00e9\\ud83d\\ude00\\n\\/"', '"é😀\\n/"', 'escapes'],
    ['"\\u001f\\u0000"', '"\\u001F\\u0000"', 'control characters stay escaped'],
    [' null ', 'null', 'white space around'],
    ['[]', '[]', 'empty array'],
    ['{}', '{}', 'empty object']
  ])('%s -> %s: %s', (text, printed) => {
    expect(printJson(parseJson(text))).toBe(printed)
  })

  test.each([
    ['', 1, 1, 'empty'],
    ['int', 1, 1, "'int' is no JSON value"],
    ['"int" x', 1, 7, "text after the end of the value: 'x'"],
    ['"int" // x', 1, 7, 'text after the end'],
    ['[1,]', 1, 4, 'a comma stands before'],
    ['{"a":1,\n "b" 2}', 2, 6, "':' was expected"],
    ['{a:1}', 1, 2, 'a key in double quotes'],
    ['[01]', 1, 2, 'no JSON value'],
    ['[1.]', 1, 2, 'no JSON value'],
    ['[.5]', 1, 2, 'no JSON value'],
    ['[nulls]', 1, 2, 'no JSON value'],
    ['"a\tb"', 1, 3, 'control character'],
    ['"abc', 1, 5, 'ends inside a string'],
    ['"\\x"', 1, 2, 'no escape'],
    ['"\\u12"', 1, 2, 'four hexadecimal'],
    ['[1', 1, 3, "',' or ']' was expected"],
    ['/* x', 1, 1, 'has no end'],
    [`[${'9'.repeat(1001)}]`, 1, 2, 'more than 1000']
  ])('refuses %j at %i:%i', (text, line, column, reason) => {
    const fault = faultOf(text)
    expect(fault.position).toEqual({ line, column })
    expect(fault.reason).toContain(reason)
  })

  test('refuses nesting and size beyond the limits, without a stack overflow', () => {
    expect(faultOf('['.repeat(500_000)).reason).toContain('nested deeper than 320')
    expect(faultOf('{"a":'.repeat(100_000)).reason).toContain('nested deeper than 320')
    expect(faultOf(`"${'é'.repeat(524_288)}"`).reason).toContain('larger than 1048576 bytes')
  })
})

test('locate finds a value, or the deepest on the way', () => {
  const text = '{\n  "fields": [\n    {"name": "a"},\n    {"name": "b", "name": "c"}\n  ]\n}'
  expect(locate(text, [])).toEqual({ line: 1, column: 1 })
  expect(locate(text, ['fields', 0, 'name'])).toEqual({ line: 3, column: 14 })
  expect(locate(text, ['fields', 1, 'name'])).toEqual({ line: 4, column: 27 })
  expect(locate(text, ['fields', 1, 'type'])).toEqual({ line: 4, column: 5 })
})

test('printPath quotes what is no word', () => {
  expect(printPath(['fields', 2, 'type', 'a b'])).toBe('$.fields[2].type["a b"]')
})

test.each([
  [0, '0.0'],
  [-0, '-0.0'],
  [1, '1.0'],
  [100, '100.0'],
  [0.001, '0.001'],
  [0.0001, '1.0E-4'],
  [9999999, '9999999.0'],
  [1e7, '1.0E7'],
  [123456.789e3, '1.23456789E8'],
  [-1.5e300, '-1.5E300'],
  [4.9e-324, '4.9E-324'],
  [1.7976931348623157e308, '1.7976931348623157E308']
])('printDouble(%d) is %s', (value, text) => {
  expect(printDouble(value)).toBe(text)
})
