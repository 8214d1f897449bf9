/**
 * A sorted map of buffers in memory: a row of small sorted leaves. A key behind all others is appended in constant time;
 * any other place costs a binary search and a move within one leaf. Holds the buffers it is given, and copies nothing.
 */
import type { Entry, Range } from './store.ts'

const LEAF_ENTRIES_MAX = 256

interface Leaf {
  readonly keys: Buffer[]
  readonly values: Buffer[]
}

export interface SortedMap {
  get(key: Uint8Array): Buffer | undefined
  set(key: Buffer, value: Buffer): void
  delete(key: Uint8Array): void
  /** The entries of the range in its direction. */
  scan(range: Range): Entry[]
}

export function sortedMap(): SortedMap {
  const leaves: Leaf[] = []

  /** The leaf that holds the key or would take it: the last one whose first key is not behind it. */
  function leafIndexOf(key: Uint8Array): number {
    let low = 0
    let high = leaves.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Buffer.compare(leaves[middle]!.keys[0]!, key) <= 0) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  function get(key: Uint8Array): Buffer | undefined {
    const leaf = leaves[leafIndexOf(key)]
    if (leaf === undefined) return undefined
    const at = firstNotBefore(leaf.keys, key)
    return leaf.keys[at]?.equals(key) ? leaf.values[at] : undefined
  }

  function set(key: Buffer, value: Buffer): void {
    const index = leafIndexOf(key)
    const leaf = leaves[index]
    if (leaf === undefined) {
      leaves.push({ keys: [key], values: [value] })
      return
    }
    const at = firstNotBefore(leaf.keys, key)
    if (leaf.keys[at]?.equals(key)) {
      leaf.values[at] = value
      return
    }
    const isBehindAll = index === leaves.length - 1 && at === leaf.keys.length
    // A full last leaf is left full: keys that only grow would otherwise leave half empty leaves behind.
    if (isBehindAll && leaf.keys.length >= LEAF_ENTRIES_MAX) {
      leaves.push({ keys: [key], values: [value] })
      return
    }
    leaf.keys.splice(at, 0, key)
    leaf.values.splice(at, 0, value)
    if (leaf.keys.length > LEAF_ENTRIES_MAX) split(index)
  }

  function split(index: number): void {
    const leaf = leaves[index]!
    const half = leaf.keys.length >>> 1
    leaves.splice(index + 1, 0, { keys: leaf.keys.splice(half), values: leaf.values.splice(half) })
  }

  function remove(key: Uint8Array): void {
    const index = leafIndexOf(key)
    const leaf = leaves[index]
    if (leaf === undefined) return
    const at = firstNotBefore(leaf.keys, key)
    if (!leaf.keys[at]?.equals(key)) return
    leaf.keys.splice(at, 1)
    leaf.values.splice(at, 1)
    if (leaf.keys.length === 0) leaves.splice(index, 1)
  }

  function scan(range: Range): Entry[] {
    return range.reverse ? scanDown(range) : scanUp(range)
  }

  function scanUp(range: Range): Entry[] {
    const { limit = Number.POSITIVE_INFINITY } = range
    const entries: Entry[] = []
    const lower = range.gte ?? range.gt
    let index = lower === undefined ? 0 : leafIndexOf(lower)
    let at = lower === undefined || index >= leaves.length ? 0 : firstNotBefore(leaves[index]!.keys, lower)
    while (index < leaves.length && entries.length < limit) {
      const { keys, values } = leaves[index]!
      for (; at < keys.length && entries.length < limit; at++) {
        const key = keys[at]!
        if (isAbove(range, key)) return entries
        if (!isBelow(range, key)) entries.push({ key, value: values[at]! })
      }
      index++
      at = 0
    }
    return entries
  }

  function scanDown(range: Range): Entry[] {
    const { limit = Number.POSITIVE_INFINITY } = range
    const entries: Entry[] = []
    const upper = range.lte ?? range.lt
    let index = upper === undefined ? leaves.length - 1 : leafIndexOf(upper)
    while (index >= 0 && index < leaves.length && entries.length < limit) {
      const { keys, values } = leaves[index]!
      let at = upper === undefined ? keys.length - 1 : Math.min(keys.length - 1, firstNotBefore(keys, upper))
      for (; at >= 0 && entries.length < limit; at--) {
        const key = keys[at]!
        if (isBelow(range, key)) return entries
        if (!isAbove(range, key)) entries.push({ key, value: values[at]! })
      }
      index--
    }
    return entries
  }

  return { get, set, delete: remove, scan }
}

function firstNotBefore(keys: readonly Buffer[], key: Uint8Array): number {
  let low = 0
  let high = keys.length
  if (high > 0 && Buffer.compare(keys[high - 1]!, key) < 0) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (Buffer.compare(keys[middle]!, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function isBelow(range: Range, key: Buffer): boolean {
  if (range.gte !== undefined) return Buffer.compare(key, range.gte) < 0
  return range.gt !== undefined && Buffer.compare(key, range.gt) <= 0
}

function isAbove(range: Range, key: Buffer): boolean {
  if (range.lte !== undefined) return Buffer.compare(key, range.lte) > 0
  return range.lt !== undefined && Buffer.compare(key, range.lt) >= 0
}
