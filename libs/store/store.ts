/** A narrow view of an ordered key-value store: all that the log needs, so that a memory or a faulty one can stand in. */

export type StoreOp =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** Keys compare as unsigned bytes. Every bound is optional; `reverse` walks from the last key down. */
export interface Range {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  readonly reverse?: boolean
  /** At most this many entries; a page bound that keeps memory flat. */
  readonly limit?: number
  /** None behind the entry with which keys and values come to so many bytes: entries may be of very different sizes. */
  readonly bytesMax?: number
}

/** Gives a buffer of just so many bytes, whatever they are. */
export type Allocate = (bytes: number) => Buffer

export interface Entry {
  readonly key: Buffer
  readonly value: Buffer
}

/**
 * Every method rejects with AssayError STORE_FAILED when the medium fails, and after `close` has been called; a read of what the
 * store itself finds damaged rejects with STORE_CORRUPT. Calls may overlap; batches and clears take effect in the order of the calls.
 * After a write has failed, all later ones fail: its fate is unknown until the store was closed and opened again.
 */
export interface Store {
  /** The value, or undefined when the key is not there. */
  get(key: Uint8Array): Promise<Buffer | undefined>
  /** The values in the order of the keys, undefined where a key is not there. Whoever has memory for them may offer it. */
  getMany(keys: readonly Uint8Array[], allocate?: Allocate): Promise<(Buffer | undefined)[]>
  /** One page of entries in key order. Whoever has memory for them may offer it. */
  range(range: Range, allocate?: Allocate): Promise<Entry[]>
  /** All or nothing. With `sync` it resolves only after the data would survive a power cut. Buffers may be reused after the call returns its promise. */
  batch(ops: readonly StoreOp[], options: { readonly sync: boolean }): Promise<void>
  /** Deletes every key in the range; in a segment for good when it resolves. */
  clear(range: Range): Promise<void>
  /** Waits for calls under way. A second call is the same as the first. */
  close(): Promise<void>
}
