import { AssayError } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import { frameMemory, type Lease } from './frame-memory.ts'
import { frameSplitter } from './frames.ts'

const framed = (content: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length)
  return Buffer.concat([length, content])
}

const splitterOf = (frameBytesMax: number, memory = frameMemory(1 << 20)) => {
  const splitter = frameSplitter(frameBytesMax, memory)
  return { push: (chunk: Buffer): Buffer[] => splitter.push(chunk).map(({ bytes }) => bytes) }
}

const contents = [Buffer.from('first'), Buffer.alloc(0), Buffer.alloc(300, 7), Buffer.from('x')]
const stream = Buffer.concat(contents.map(framed))

describe('what is split off does not depend on how the bytes come', () => {
  test('cut in two at every byte', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const splitter = splitterOf(1000)
      const frames = [...splitter.push(stream.subarray(0, cut)), ...splitter.push(stream.subarray(cut))]
      expect(frames, `cut at ${cut}`).toEqual(contents)
    }
  })

  test.each([1, 2, 3, 5, 7, 64])('in chunks of %i bytes', size => {
    const splitter = splitterOf(1000)
    const frames: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) frames.push(...splitter.push(stream.subarray(at, at + size)))
    expect(frames).toEqual(contents)
  })

  test('byte by byte, when there are more pieces than are held apart', () => {
    const content = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251))
    const splitter = splitterOf(10_000)
    const frames = Array.from(framed(content)).flatMap(byte => splitter.push(Buffer.from([byte])))
    expect(frames).toEqual([content])
  })
})

test('a chunk may be written over once it was taken', () => {
  const splitter = splitterOf(1000)
  const chunk = Buffer.from(stream)
  const before = splitter.push(chunk.subarray(0, 20))
  chunk.fill(0xff, 0, 20)
  const rest = splitter.push(chunk.subarray(20))
  expect([...before, ...rest]).toEqual(contents)
})

describe('memory', () => {
  test('of a frame grows with what has come of it, and that of all but the last is given back', () => {
    const memory = frameMemory(1 << 20)
    const leases: (Lease & { isReleased: boolean })[] = []
    const watched = {
      take(bytes: number): Lease {
        const lease = memory.take(bytes)
        const entry = {
          bytes: lease.bytes,
          isReleased: false,
          release() {
            entry.isReleased = true
            lease.release()
          }
        }
        leases.push(entry)
        return entry
      }
    }
    const content = Buffer.alloc(700_000, 'what comes in one piece')
    const splitter = frameSplitter(1 << 20, watched)
    const bytes = framed(content)
    expect(splitter.push(bytes.subarray(0, 5))).toEqual([])
    expect(leases.map(lease => lease.bytes.length)).toEqual([16 << 10])
    const frames = [...splitter.push(bytes.subarray(5, 30_000)), ...splitter.push(bytes.subarray(30_000))]
    expect(frames.map(frame => frame.bytes.equals(content))).toEqual([true])
    expect(leases.map(lease => lease.isReleased)).toEqual(leases.map((_, at) => at < leases.length - 1))
    expect(leases.every(lease => lease.bytes.length <= 1 << 20)).toBe(true)
  })

  test('is used again once it was given back, never twice at a time, and no more than a bound of it is kept', () => {
    const memory = frameMemory(64 << 10)
    const [first, second, third] = [memory.take(20_000), memory.take(20_000), memory.take(20_000)]
    expect(new Set([first.bytes, second.bytes, third.bytes]).size).toBe(3)
    for (const lease of [first, first, second, third]) lease.release()
    const again = [memory.take(32_768), memory.take(17_000), memory.take(20_000)].map(({ bytes }) => bytes)
    expect(new Set(again).size).toBe(3)
    expect(again.filter(bytes => [first.bytes, second.bytes].includes(bytes))).toHaveLength(2)
    expect(again).not.toContain(third.bytes)
  })

  test('of small and of huge frames is not kept', () => {
    const memory = frameMemory(64 << 20)
    for (const bytes of [0, 100, 5 << 20]) {
      const lease = memory.take(bytes)
      expect(lease.bytes).toHaveLength(bytes)
      lease.release()
      if (bytes > 0) expect(memory.take(bytes).bytes).not.toBe(lease.bytes)
    }
  })
})

test.each([
  ['one byte too large', 1001],
  ['largest', 0x7fffffff],
  ['negative', -1]
])('a length that is %s is refused as soon as it is known', (_name, size) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(size)
  const splitter = splitterOf(1000)
  expect(splitter.push(length.subarray(0, 3))).toEqual([])
  expect(() => splitter.push(length.subarray(3))).toThrow(AssayError)
})
