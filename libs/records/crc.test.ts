import { randomBytes } from 'node:crypto'
import { crc32c as nativeCrc32c } from '@node-rs/crc32'
import { describe, expect, test } from 'vitest'
import { crc32c, tableCrc32c } from './crc.ts'

/** RFC 3720, appendix B.4, and the check value of the CRC catalogues. */
const vectors: [string, Buffer, number][] = [
  ['nothing', Buffer.alloc(0), 0],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 rising', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['32 falling', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c]
]

test.each(vectors)('known value of %s', (_name, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

describe('the table and the native code agree', () => {
  const bytes = randomBytes(1200)
  test('at every length around the switch, and at every start', () => {
    for (let length = 0; length <= 1100; length++) {
      const start = length % 9
      const native = nativeCrc32c(bytes.subarray(start, start + length))
      expect(tableCrc32c(bytes, start, start + length), `length ${length}`).toBe(native)
      expect(crc32c(bytes, start, start + length)).toBe(native)
    }
  })
})
