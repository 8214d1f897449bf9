import { describe, expect, test } from 'vitest'
import { frame, framedId, WIRE_FORMAT_BYTES } from './framing.ts'

test('a frame is a zero byte, the schema ID, the payload', () => {
  expect(frame(258, Buffer.from('abc')).toString('hex')).toBe('0000000102616263')
  expect(frame(2 ** 31 - 1, Buffer.alloc(0)).toString('hex')).toBe('007fffffff')
})

test('a framed payload keeps its bytes', () => {
  const payload = Buffer.from('02', 'hex')
  const framed = frame(7, payload)
  payload[0] = 0
  expect(framedId(framed)).toBe(7)
  expect(framed.subarray(WIRE_FORMAT_BYTES).toString('hex')).toBe('02')
})

describe('the schema ID of', () => {
  test.each<[string, string, number | undefined]>([
    ['an empty payload', '0000000001', 1],
    ['four bytes', '00000000', undefined],
    ['nothing', '', undefined],
    ['another magic byte', '0100000001', undefined],
    ['JSON text', '7b2261223a317d', undefined]
  ])('%s', (_name, hex, schemaId) => {
    expect(framedId(Buffer.from(hex, 'hex'))).toBe(schemaId)
  })
})

test('only the bytes between start and end count', () => {
  const bytes = Buffer.from('ff00000000050aff', 'hex')
  expect(framedId(bytes, 1, 7)).toBe(5)
  expect(framedId(bytes, 1, 5)).toBeUndefined()
})
