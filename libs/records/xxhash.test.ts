import { expect, test } from 'vitest'
import { xxh32 } from './xxhash.ts'

/** Known values of XXH32 with seed 0; the lengths between are held against the lz4 library in codec.test.ts. */
test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f]
])('of %j', (text, expected) => {
  const bytes = Buffer.from(`--${text}--`)
  expect(xxh32(bytes, 2, bytes.length - 2)).toBe(expected)
})
