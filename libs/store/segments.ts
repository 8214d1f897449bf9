/**
 * A row of stores of which only the newest is written. Each bears the number of the first key in it; what lies in which is the
 * business of whoever writes them. A store is there as a whole or not at all, whenever power goes.
 */
import { AssayError } from '@assay/errors'
import { memoryStore } from './memory.ts'
import type { Store } from './store.ts'

export interface Segments {
  /** The numbers of those that are there, ascending. Ends removals that were cut short. Fails with STORE_CORRUPT at a name that is none of ours. */
  list(): Promise<number[]>
  /** Opens one that is there, `isNewest` when it will be written. Fails as the store's opening does, with STORE_CORRUPT when it is absent. */
  open(first: number, options: { readonly isNewest: boolean }): Promise<Store>
  /** Makes one that is not there and opens it to be written. When it resolves, the next start finds it. */
  roll(first: number): Promise<Store>
  /** Removes a closed one for good; after a cut at any point it is there as a whole, or gone. No fault when it is not there. */
  drop(first: number): Promise<void>
}

/** Segments in memory: what was written outlives the closing of a store, and ends with this object. */
export function memorySegments(): Segments {
  const kept = new Map<number, Store>()

  function open(first: number): Store {
    const store = kept.get(first)
    if (store === undefined) throw absent(first)
    return closable(store)
  }

  return {
    list: async () => [...kept.keys()].sort((a, b) => a - b),
    open: async first => open(first),
    async roll(first) {
      if (kept.has(first)) throw new AssayError('STORE_CORRUPT', { what: `Segment ${first}`, reason: 'it is there already' })
      kept.set(first, memoryStore())
      return open(first)
    },
    async drop(first) {
      kept.delete(first)
    }
  }
}

/** A store that has an end of its own. */
function closable(store: Store): Store {
  let isClosed = false
  async function whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (isClosed) throw new AssayError('STORE_FAILED', { action: 'work on a segment: it is closed' })
    return work()
  }
  return {
    get: key => whileOpen(() => store.get(key)),
    getMany: (keys, allocate) => whileOpen(() => store.getMany(keys, allocate)),
    range: (range, allocate) => whileOpen(() => store.range(range, allocate)),
    batch: (ops, options) => whileOpen(() => store.batch(ops, options)),
    clear: range => whileOpen(() => store.clear(range)),
    async close() {
      isClosed = true
    }
  }
}

export const absent = (first: number | string): AssayError =>
  new AssayError('STORE_CORRUPT', { what: `Segment ${first}`, reason: 'it is gone' })
