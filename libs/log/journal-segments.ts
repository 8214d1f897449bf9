/**
 * The journal as a row of segments: the newest is open and written, the others are opened when somebody reads them, and no more than a
 * few at a time stay open. A segment that does not begin and end where it should is damaged, and harms only those who read it.
 */
import { AssayError } from '@assay/errors'
import { assert } from '@assay/std'
import { type Entry, type Reopenable, reopenable, type Segments, type Store, type StoreOp } from '@assay/store'
import { readInt64 } from './int64.ts'
import { lastAtOrBefore } from './segment-table.ts'

/** What the log needs of its journal. */
export interface Journal {
  /** The first sequence of each segment, ascending; the last is the one that is written. */
  readonly firsts: readonly number[]
  /** Writes rows into the newest segment: all or nothing. */
  batch(ops: readonly StoreOp[], options: { readonly sync: boolean }): Promise<void>
  /** The segment that the row lies in, by its first sequence; undefined before the first segment. */
  segmentOf(sequence: number): number | undefined
  /** Works on one segment, which stays open until that is done. Fails with STORE_CORRUPT when it is not there or not what it should be. */
  use<T>(first: number, work: (store: Store) => Promise<T>): Promise<T>
  /** Begins a new segment; all that follows is written into it. What was written before must be durable. */
  roll(first: number): Promise<void>
  /** Removes a segment for good, once those who read it are done; not the newest. */
  drop(first: number): Promise<void>
  /** Closes the newest segment and opens it again: it may have refused a write, and takes none after that. A new one that was begun in vain goes. */
  reopen(): Promise<void>
  close(): Promise<void>
}

export interface JournalOptions {
  /** Older segments that stay open when nobody reads them. */
  readonly openMax: number
  /** Refuses, with STORE_CORRUPT, to make the first segment. */
  readonly mustExist: boolean
  /** The first sequence behind a segment, where that is known. */
  readonly endOf: (first: number) => number | undefined
}

interface OpenSegment {
  readonly store: Promise<Store>
  users: number
  /** Set once it is on its way to be closed; whoever wants to open it again waits for that. */
  closing: Promise<void> | undefined
}

const SEQUENCE_BYTES = 8

/** Opens the newest segment, made when there is none at all. Owns all that it opens. */
export async function openJournal(segments: Segments, { openMax, mustExist, endOf }: JournalOptions): Promise<Journal> {
  const firsts = await segments.list()
  if (firsts.length === 0 && mustExist) throw new AssayError('STORE_CORRUPT', { what: 'The journal', reason: 'it is gone' })
  const begun = (store: Store, first: number): Reopenable => reopenable(store, () => segments.open(first, { isNewest: true }))
  let written = firsts.length === 0 ? begun(await segments.roll(0), 0) : begun(await openNewest(), firsts.at(-1)!)
  if (firsts.length === 0) firsts.push(0)
  let newest = opened(written)
  /** The older ones, those used longest ago first. */
  const open = new Map<number, OpenSegment>()
  let isClosed = false

  function openNewest(): Promise<Store> {
    return segments.open(firsts.at(-1)!, { isNewest: true })
  }

  async function use<T>(first: number, work: (store: Store) => Promise<T>): Promise<T> {
    const segment = await borrow(first)
    try {
      return await work(await segment.store)
    } finally {
      segment.users--
      closeUnused()
    }
  }

  async function borrow(first: number): Promise<OpenSegment> {
    if (first === firsts.at(-1)) {
      newest.users++
      return newest
    }
    for (let known = open.get(first); known?.closing !== undefined; known = open.get(first)) await known.closing
    if (isClosed) throw new AssayError('STORE_FAILED', { action: 'read: the journal is closed' })
    const known = open.get(first)
    const segment = known ?? opened(openOlder(first))
    segment.users++
    open.delete(first)
    open.set(first, segment)
    // One that does not open is not kept: it may have been mended when it is asked for again.
    if (known === undefined) segment.store.catch(() => open.delete(first))
    return segment
  }

  async function openOlder(first: number): Promise<Store> {
    const at = firsts.indexOf(first)
    if (at < 0) throw damaged(first, 'it is not one of the journal')
    const store = await segments.open(first, { isNewest: false })
    try {
      await checkEnds(store, first)
    } catch (error) {
      await store.close().catch(() => {})
      throw error
    }
    return store
  }

  async function checkEnds(store: Store, first: number): Promise<void> {
    const [[begin], [end]] = await Promise.all([store.range({ limit: 1 }), store.range({ limit: 1, reverse: true })])
    const expected = endOf(first)
    if (expected === undefined || expected === first) return
    const [from, to] = [sequenceOf(begin), sequenceOf(end)]
    if (from !== first) throw damaged(first, `its first row is ${from ?? 'missing'}`)
    if (to !== expected - 1) throw damaged(first, `its last row is ${to} and not ${expected - 1}`)
  }

  function closeUnused(): void {
    let excess = open.size - openMax
    for (const [first, segment] of open) {
      if (excess <= 0) return
      if (segment.users === 0) {
        excess--
        void closeSegment(first, segment)
      }
    }
  }

  function closeSegment(first: number, segment: OpenSegment): Promise<void> {
    segment.closing ??= segment.store
      .then(store => store.close())
      .catch(() => {})
      .finally(() => {
        if (open.get(first) === segment) open.delete(first)
      })
    return segment.closing
  }

  async function closeWhenUnused(first: number): Promise<void> {
    for (let segment = open.get(first); segment !== undefined; segment = open.get(first)) {
      if (segment.users === 0) await closeSegment(first, segment)
      else await new Promise(resolve => setImmediate(resolve))
    }
  }

  return {
    firsts,
    batch: (ops, options) => written.batch(ops, options),
    segmentOf: sequence => firsts[lastAtOrBefore(sequence, firsts.length, at => firsts[at]!)],
    use,
    async roll(first) {
      const before = firsts.at(-1)!
      assert(first > before, 'a new segment begins behind the last')
      written = begun(await segments.roll(first), first)
      open.set(before, newest)
      newest = opened(written)
      firsts.push(first)
      closeUnused()
    },
    async drop(first) {
      const at = firsts.indexOf(first)
      assert(at < firsts.length - 1, 'the segment that is written is not dropped')
      if (at >= 0) firsts.splice(at, 1)
      await closeWhenUnused(first)
      await segments.drop(first)
    },
    async reopen() {
      for (const first of await segments.list()) if (first > firsts.at(-1)!) await segments.drop(first)
      await written.reopen()
    },
    async close() {
      isClosed = true
      const older = [...open].map(([first, segment]) => closeSegment(first, segment))
      await Promise.all([written.close(), ...older])
    }
  }
}

const opened = (store: Store | Promise<Store>): OpenSegment => ({ store: Promise.resolve(store), users: 0, closing: undefined })

/** A journal that has one segment for ever, for parts that have one store. */
export function singleSegment(store: Store): Segments {
  const only = (first: number): Store => {
    assert(first === 0, 'a single segment begins with the first row')
    return store
  }
  return {
    list: async () => [0],
    open: async first => only(first),
    roll: async first => only(first),
    drop: async () => assert(false, 'a single segment is not dropped')
  }
}

function sequenceOf(entry: Entry | undefined): number | undefined {
  return entry && (entry.key.length >= SEQUENCE_BYTES ? readInt64(entry.key, 0) : Number.NaN)
}

const damaged = (first: number, reason: string): AssayError =>
  new AssayError('STORE_CORRUPT', { what: `Segment ${first} of the journal`, reason })
