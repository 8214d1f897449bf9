/** A disk that runs full and gets space again: as with LevelDB, a store that was refused a write takes none until it is opened anew. */
import { AssayError } from '@assay/errors'
import { type Reopenable, reopenable, type Segments, type Store } from '@assay/store'

export interface FullDisk {
  /** From now on nothing is taken. With `isLate` the first write that is refused is there nevertheless: it failed behind it. */
  fill(options?: { readonly isLate?: boolean }): void
  free(): void
  readonly isFull: boolean
  /** For the life of one log. */
  segments(inner: Segments): Segments
  store(open: () => Promise<Store>): Promise<Reopenable>
}

export function fullDisk(): FullDisk {
  let isFull = false
  let isLate = false

  const refusal = (action: string): AssayError => new AssayError('STORE_FULL', { action: `${action}: no space left on device` })

  function whileFull(store: Store): Store {
    let failure: AssayError | undefined
    async function refuse(write: () => Promise<void>): Promise<void> {
      if (failure !== undefined) throw failure
      if (!isFull) return write()
      failure = refusal('write')
      if (isLate) await write()
      isLate = false
      throw failure
    }
    return {
      ...store,
      batch: (ops, options) => refuse(() => store.batch(ops, options)),
      clear: range => refuse(() => store.clear(range))
    }
  }

  async function opened(open: () => Promise<Store>): Promise<Store> {
    if (isFull) throw refusal('open')
    return whileFull(await open())
  }

  return {
    fill(options = {}) {
      isFull = true
      isLate = options.isLate ?? false
    },
    free() {
      isFull = false
      isLate = false
    },
    get isFull() {
      return isFull
    },
    segments: inner => ({
      ...inner,
      open: (first, options) => opened(() => inner.open(first, options)),
      async roll(first) {
        if (!isFull) return whileFull(await inner.roll(first))
        // It was begun in vain, and is there now.
        if (isLate) await (await inner.roll(first)).close()
        throw refusal('make a segment')
      }
    }),
    store: async open => reopenable(await opened(open), () => opened(open))
  }
}
