/** Finds what a validator only says no to: the first fault, where in the value it is, and why, in words. Slow, for refused values alone. */
import { isUtf8 } from 'node:buffer'
import { branchName, type Schema } from '../schema.ts'
import { joinPlace, keyText } from './place.ts'
import { scanInt, scanLong, scanNumber, scanned } from './scan.ts'
import { DEPTH_MAX } from './validator-source.ts'
import { minWidths, WIDTHLESS_MAX } from './width.ts'

export interface Fault {
  /** Where in the value: `items[3].price`; empty for the value as a whole. */
  readonly path: string
  /** `expected double, 3 bytes left`. */
  readonly reason: string
  /** Position in the bytes given. */
  readonly at: number
}

class Found extends Error {
  readonly fault: Fault
  constructor(fault: Fault) {
    super(fault.reason)
    this.fault = fault
  }
}

/** The first fault of `bytes[start..end)` as a value of `schema`; undefined when there is none. */
export function explain(schema: Schema, bytes: Buffer, start: number, end: number): Fault | undefined {
  const widths = minWidths()
  let widthless = 0

  function fail(path: string, reason: string, at: number): never {
    throw new Found({ path, reason, at })
  }

  const left = (at: number): string => (end - at === 1 ? '1 byte left' : `${Math.max(0, end - at)} bytes left`)

  function varint(kind: 'int' | 'long', at: number, path: string): number {
    const behind = kind === 'int' ? scanInt(bytes, at, end) : scanLong(bytes, at, end)
    if (behind >= 0) return behind
    let last = at
    while (last < end && bytes[last]! >= 0x80) last++
    if (last >= end) fail(path, `expected ${kind}, ${left(at)}`, at)
    const length = last - at + 1
    if (length > (kind === 'int' ? 5 : 10)) fail(path, `expected ${kind}, got a varint of ${length} bytes`, at)
    if (bytes[last] === 0) fail(path, `expected ${kind}, got a varint that is longer than it needs to be`, at)
    fail(path, `expected ${kind}, got a number beyond ${kind === 'int' ? 32 : 64} bits`, at)
  }

  function number(what: string, at: number, path: string): number {
    const behind = scanNumber(bytes, at, end)
    if (behind >= 0) return behind
    varint('long', at, path)
    return fail(path, `${what} is beyond 2^53`, at)
  }

  function fixed(kind: string, size: number, at: number, path: string): number {
    if (size > end - at) fail(path, `expected ${kind}, ${left(at)}`, at)
    return at + size
  }

  function sized(kind: 'bytes' | 'string', at: number, path: string): number {
    const start = number('the length', at, path)
    const length = scanned.value
    if (length < 0) fail(path, `expected ${kind}, got a length of ${length}`, at)
    if (length > end - start) fail(path, `expected ${kind} of ${length} bytes, ${left(start)}`, at)
    if (kind === 'string' && !isUtf8(bytes.subarray(start, start + length)))
      fail(path, 'expected string, got bytes that are not UTF-8', start)
    return start + length
  }

  function index(kind: 'enum' | 'union', count: number, at: number, path: string): number {
    const behind = number(`the index of the ${kind}`, at, path)
    if (scanned.value < 0 || scanned.value >= count) fail(path, `${kind} index ${scanned.value} is outside 0..${count - 1}`, at)
    return behind
  }

  function blocks(
    kind: 'array' | 'map',
    weight: number | undefined,
    at: number,
    path: string,
    item: (at: number, index: number) => number
  ): number {
    let items = 0
    for (;;) {
      let next = number(`the count of the ${kind}`, at, path)
      let count = scanned.value
      let blockEnd = -1
      if (count === 0) return next
      if (count < 0) {
        count = -count
        const sizeAt = next
        next = number(`the block size of the ${kind}`, next, path)
        if (scanned.value < 0 || scanned.value > end - next)
          fail(path, `a block of ${scanned.value} bytes, ${left(next)}`, sizeAt)
        blockEnd = next + scanned.value
      }
      if (weight !== undefined) {
        widthless += count * weight
        if (widthless > WIDTHLESS_MAX) fail(path, `${widthless} items that take no bytes; at most ${WIDTHLESS_MAX}`, at)
      } else {
        if (count > end - next) fail(path, `${count} items, ${left(next)}`, at)
        for (let done = 0; done < count; done++) next = item(next, items++)
      }
      if (blockEnd >= 0 && next !== blockEnd) fail(path, `a block said to take ${blockEnd - at} bytes takes ${next - at}`, at)
      at = next
    }
  }

  function walk(schema: Schema, at: number, path: string, depth: number): number {
    switch (schema.kind) {
      case 'null':
        return at
      case 'boolean':
        if (at >= end) fail(path, `expected boolean, ${left(at)}`, at)
        if (bytes[at]! > 1) fail(path, `expected boolean, got byte ${bytes[at]}`, at)
        return at + 1
      case 'int':
      case 'long':
        return varint(schema.kind, at, path)
      case 'float':
        return fixed('float', 4, at, path)
      case 'double':
        return fixed('double', 8, at, path)
      case 'fixed':
        return fixed(`fixed ${schema.name} of ${schema.size} bytes`, schema.size, at, path)
      case 'bytes':
      case 'string':
        return sized(schema.kind, at, path)
      case 'enum':
        return index('enum', schema.symbols.length, at, path)
      case 'union': {
        const behind = index('union', schema.branches.length, at, path)
        return walk(schema.branches[scanned.value]!, behind, path, depth)
      }
      case 'array':
        return blocks(
          'array',
          widths.of(schema.items) === 0 ? widths.weightOf(schema.items) : undefined,
          at,
          path,
          (next, item) => walk(schema.items, next, `${path}[${item}]`, depth)
        )
      case 'map':
        return blocks('map', undefined, at, path, (next, item) => {
          const keyEnd = sized('string', next, `${path}{${item}}`)
          const keyStart = scanNumber(bytes, next, end)
          return walk(schema.values, keyEnd, joinPlace(path, keyText(bytes.toString('utf8', keyStart, keyEnd))), depth)
        })
      case 'record': {
        if (widths.of(schema) === 0) {
          if (widths.weightOf(schema) > WIDTHLESS_MAX)
            fail(path, `a record of more than ${WIDTHLESS_MAX} values that take no bytes`, at)
          return at
        }
        if (depth >= DEPTH_MAX) fail(path, `records nested deeper than ${DEPTH_MAX}`, at)
        let next = at
        for (const field of schema.fields) next = walk(field.type, next, joinPlace(path, field.name), depth + 1)
        return next
      }
    }
  }

  try {
    const behind = walk(schema, start, '', 0)
    if (behind === end) return undefined
    const over = end - behind
    return { path: '', reason: `${over} ${over === 1 ? 'byte' : 'bytes'} left over behind the ${branchName(schema)}`, at: behind }
  } catch (error) {
    if (error instanceof Found) return error.fault
    throw error
  }
}
