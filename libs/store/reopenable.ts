/**
 * A Store that can be closed and opened again in its place. LevelDB takes no more writes after one has failed, even when the reason has
 * gone; whoever has the store in his hands need not know that it is another one now.
 */
import { AssayError } from '@assay/errors'
import type { Store } from './store.ts'

export interface Reopenable extends Store {
  /**
   * Closes the store once all calls under way have ended, and opens it anew; calls meanwhile wait. When opening fails, so does this, and
   * every call until it is asked again and succeeds.
   */
  reopen(): Promise<void>
}

/** Takes over a store that is open already. */
export function reopenable(opened: Store, open: () => Promise<Store>): Reopenable {
  let current: Promise<Store> = Promise.resolve(opened)
  /** What `current` is when nobody is at work on it: most calls need not wait a turn for it. */
  let ready: Store | undefined = opened
  let isClosed = false

  async function openAgain(before: Promise<Store>): Promise<Store> {
    const store = await before.catch(() => undefined)
    // One that does not close keeps its lock, and opening it again tells so.
    await store?.close().catch(() => {})
    if (isClosed) throw new AssayError('STORE_FAILED', { action: 'open again: it is closed' })
    return open()
  }

  const use = <T>(work: (store: Store) => Promise<T>): Promise<T> => (ready === undefined ? current.then(work) : work(ready))

  return {
    get: key => use(store => store.get(key)),
    getMany: (keys, allocate) => use(store => store.getMany(keys, allocate)),
    range: (range, allocate) => use(store => store.range(range, allocate)),
    batch: (ops, options) => use(store => store.batch(ops, options)),
    clear: range => use(store => store.clear(range)),
    async reopen() {
      ready = undefined
      const mine = openAgain(current)
      current = mine
      const store = await mine
      if (current === mine) ready = store
    },
    async close() {
      isClosed = true
      const store = await current.catch(() => undefined)
      await store?.close()
    }
  }
}
