import avsc from 'avsc'
import { expect, test } from 'vitest'
import { BinaryReader, BinaryWriter, written } from './binary.ts'
import { randomFrom } from './test/random-data.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? 20261123)
console.log(`seed ${seed}`)

/** Zigzag and base 128 as the specification words them, in bigints. */
function slowLong(value: bigint): string {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  let hex = ''
  for (; raw > 0x7fn; raw >>= 7n) hex += (Number(raw & 0x7fn) | 0x80).toString(16).padStart(2, '0')
  return hex + Number(raw).toString(16).padStart(2, '0')
}

test('longs of every size, around every power of two', () => {
  for (let bits = 0n; bits < 63n; bits++) {
    for (const near of [-2n, -1n, 0n, 1n]) {
      for (const value of [2n ** bits + near, -(2n ** bits) + near]) {
        const bytes = written(writer => writer.long(value))
        expect(bytes.toString('hex')).toBe(slowLong(value))
        const safe = Number.isSafeInteger(Number(value))
        if (safe) expect(written(writer => writer.long(Number(value)))).toEqual(bytes)
        const read = new BinaryReader(bytes).long()
        expect(typeof read).toBe(safe ? 'number' : 'bigint')
        expect(BigInt(read)).toBe(value)
        expect(new BinaryReader(bytes).bigLong()).toBe(value)
        if (bits < 31n) expect(new BinaryReader(bytes).int()).toBe(Number(value))
      }
    }
  }
})

test('strings of every length and script, and the bytes that avsc writes', () => {
  const random = randomFrom(seed)
  const type = avsc.Type.forSchema('string')
  const letters = ['a', 'é', '日', '😀']
  for (let length = 0; length < 300; length++) {
    const text = Array.from({ length }, () => letters[random(40) === 0 ? random(4) : 0]).join('')
    const bytes = written(writer => writer.string(text))
    expect(bytes.toString('hex')).toBe(type.toBuffer(text).toString('hex'))
    expect(new BinaryReader(bytes).string()).toBe(text)
  }
})

test('a writer grows, takes back, and starts anew', () => {
  const writer = new BinaryWriter()
  writer.fixed(new Uint8Array(3_000).fill(7))
  const before = writer.at
  writer.string('x'.repeat(2_000_000))
  writer.at = before
  writer.double(1.5)
  writer.float(-0)
  const bytes = writer.finish()
  expect(bytes.length).toBe(3_012)
  expect(bytes.subarray(3_000).toString('hex')).toBe('000000000000f83f00000080')
  expect(writer.finish().length).toBe(0)
})
