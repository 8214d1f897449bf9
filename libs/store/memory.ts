/** A Store in memory: keeps nothing beyond its own life, and behaves as the one on disk does in everything else. */
import { AssayError } from '@assay/errors'
import { sortedMap } from './sorted-map.ts'
import type { Entry, Range, Store, StoreOp } from './store.ts'

/** A new, empty store. What is read out of it is a copy, as it would be from a disk. */
export function memoryStore(): Store {
  const map = sortedMap()
  let closed = false

  function assertOpen(action: string): void {
    if (closed) throw new AssayError('STORE_FAILED', { action: `${action}: it is closed` })
  }

  function copyOf(key: Uint8Array): Buffer | undefined {
    const value = map.get(key)
    return value && Buffer.from(value)
  }

  return {
    async get(key: Uint8Array): Promise<Buffer | undefined> {
      assertOpen('read')
      return copyOf(key)
    },
    async getMany(keys: readonly Uint8Array[]): Promise<(Buffer | undefined)[]> {
      assertOpen('read')
      return keys.map(copyOf)
    },
    async range(range: Range): Promise<Entry[]> {
      assertOpen('read')
      let bytes = 0
      const entries: Entry[] = []
      for (const { key, value } of map.scan(range)) {
        if (bytes >= (range.bytesMax ?? Number.POSITIVE_INFINITY)) break
        bytes += key.length + value.length
        entries.push({ key: Buffer.from(key), value: Buffer.from(value) })
      }
      return entries
    },
    async batch(ops: readonly StoreOp[]): Promise<void> {
      assertOpen('write')
      for (const op of ops) {
        if (op.type === 'put') map.set(Buffer.from(op.key), Buffer.from(op.value))
        else map.delete(op.key)
      }
    },
    async clear(range: Range): Promise<void> {
      assertOpen('write')
      for (const { key } of map.scan(range)) map.delete(key)
    },
    async close(): Promise<void> {
      closed = true
    }
  }
}
