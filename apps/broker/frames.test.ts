import { AssayError } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import { frameSplitter } from './frames.ts'

const framed = (content: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length)
  return Buffer.concat([length, content])
}

const contents = [Buffer.from('first'), Buffer.alloc(0), Buffer.alloc(300, 7), Buffer.from('x')]
const stream = Buffer.concat(contents.map(framed))

describe('what is split off does not depend on how the bytes come', () => {
  test('cut in two at every byte', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const splitter = frameSplitter(() => 1000)
      const frames = [...splitter.push(stream.subarray(0, cut)), ...splitter.push(stream.subarray(cut))]
      expect(frames, `cut at ${cut}`).toEqual(contents)
    }
  })

  test.each([1, 2, 3, 5, 7, 64])('in chunks of %i bytes', size => {
    const splitter = frameSplitter(() => 1000)
    const frames: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) frames.push(...splitter.push(stream.subarray(at, at + size)))
    expect(frames).toEqual(contents)
  })

  test('byte by byte, when there are more pieces than are held apart', () => {
    const content = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251))
    const splitter = frameSplitter(() => 10_000)
    const frames = Array.from(framed(content)).flatMap(byte => splitter.push(Buffer.from([byte])))
    expect(frames).toEqual([content])
  })
})

test('a frame inside one chunk is a slice of it', () => {
  const [first] = frameSplitter(() => 1000).push(stream)
  expect(first!.buffer).toBe(stream.buffer)
  expect(first!.byteOffset).toBe(stream.byteOffset + 4)
})

test.each([
  ['one byte too large', 1001],
  ['largest', 0x7fffffff],
  ['negative', -1]
])('a length that is %s is refused as soon as it is known', (_name, size) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(size)
  const splitter = frameSplitter(() => 1000)
  expect(splitter.push(length.subarray(0, 3))).toEqual([])
  expect(() => splitter.push(length.subarray(3))).toThrow(AssayError)
})
