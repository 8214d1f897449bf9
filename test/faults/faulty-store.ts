/**
 * A disk that fails on demand, with a Store on it: it forgets unsynced writes on a power cut, and refuses or delays writes when told.
 * It keeps to what LevelDB was measured to do: writes survive in order, each whole or not at all, and a sync covers all before it.
 */
import { AssayError } from '@assay/errors'
import { assert, type Clock, systemClock } from '@assay/std'
import { type Entry, memoryStore, type Range, type Store, type StoreOp } from '@assay/store'

export interface FaultyDiskOptions {
  readonly clock?: Clock
  /** What is cleared is gone for good when `clear` resolves, as in a segment of a journal. Default false. */
  readonly clearsForGood?: boolean
}

export interface FaultyDisk {
  /** A store on what the disk holds. One at a time: STORE_LOCKED while another is open. */
  open(): Promise<Store>
  /**
   * Power goes. The open store rejects every call, those under way included. Synced writes stay; of the others, in the order of the calls
   * and counting the one under way, the first `keepUnsynced` stay (default 0). `Infinity` makes it the mere death of the process.
   */
  crash(options?: { readonly keepUnsynced?: number }): Promise<void>
  /** Lets the nth write from now fail (1 is the next), and with it, until the store is opened again, all that follow. Nothing of it is written. */
  failWrite(nth: number): void
  /** Lets the next synced write fail at its sync: it may yet turn out, after a crash, to have been written. */
  failNextSync(): void
  /** Lets every later write take this long; 0 ends it. */
  slowWrites(ms: number): void
  /** Writes that a crash now could take away. */
  unsyncedCount(): number
}

type Write = { readonly ops: readonly StoreOp[] } | { readonly clear: Range }

interface Session {
  /** What readers see. */
  readonly live: Store
  failure: AssayError | undefined
  isOver: boolean
}

export function faultyDisk({ clock = systemClock, clearsForGood = false }: FaultyDiskOptions = {}): FaultyDisk {
  const durable = memoryStore()
  let unsynced: Write[] = []
  /** Ends when all that was taken from `unsynced` to be kept has arrived in `durable`. */
  let flushed: Promise<void> = Promise.resolve()
  let session: Session | undefined
  let writesUntilFailure = 0
  let syncFails = false
  let writeMs = 0

  async function open(): Promise<Store> {
    if (session !== undefined) throw new AssayError('STORE_LOCKED', { directory: 'of the faulty disk' })
    session = { live: memoryStore(), failure: undefined, isOver: false }
    const mine = session
    await flushed
    await apply(mine.live, { ops: (await durable.range({})).map(({ key, value }) => ({ type: 'put', key, value })) })
    for (const write of unsynced) await apply(mine.live, write)
    return storeOf(mine)
  }

  function storeOf(mine: Session): Store {
    let lane: Promise<unknown> = Promise.resolve()
    let closing: Promise<void> | undefined

    function assertOpen(action: string): void {
      if (mine.isOver || closing !== undefined) throw new AssayError('STORE_FAILED', { action: `${action}: it is closed` })
    }

    async function read<T>(query: () => Promise<T>): Promise<T> {
      assertOpen('read')
      const answer = await query()
      assertAlive(mine, 'read')
      return answer
    }

    async function submit(write: Write, sync: boolean): Promise<void> {
      assertOpen('write')
      const done = lane.then(() => execute(mine, write, sync))
      lane = done.catch(() => {})
      await done
    }

    return {
      get: (key): Promise<Buffer | undefined> => read(() => mine.live.get(key)),
      getMany: (keys): Promise<(Buffer | undefined)[]> => read(() => mine.live.getMany(keys)),
      range: (range): Promise<Entry[]> => read(() => mine.live.range(range)),
      batch: (ops, { sync }) => submit({ ops: ops.map(copyOf) }, sync),
      clear: range => submit({ clear: range }, clearsForGood),
      close() {
        closing ??= lane.then(() => {
          mine.isOver = true
          if (session === mine) session = undefined
        })
        return closing
      }
    }
  }

  async function execute(mine: Session, write: Write, sync: boolean): Promise<void> {
    assertAlive(mine, 'write')
    if (mine.failure !== undefined) throw mine.failure
    if (writesUntilFailure > 0 && --writesUntilFailure === 0) throw fail(mine, 'write: no space left')
    unsynced.push(write)
    if (writeMs > 0) await pause(writeMs)
    assertAlive(mine, 'write')
    if (sync && syncFails) {
      syncFails = false
      throw fail(mine, 'sync')
    }
    await apply(mine.live, write)
    assertAlive(mine, 'write')
    if (sync) await flush(unsynced.length)
    assertAlive(mine, 'write')
  }

  /** Moves the first writes over to where no crash takes them. */
  function flush(count: number): Promise<void> {
    const kept = unsynced.slice(0, count)
    unsynced = unsynced.slice(count)
    flushed = flushed.then(async () => {
      for (const write of kept) await apply(durable, write)
    })
    return flushed
  }

  async function crash({ keepUnsynced = 0 }: { readonly keepUnsynced?: number } = {}): Promise<void> {
    if (session !== undefined) session.isOver = true
    session = undefined
    writesUntilFailure = 0
    syncFails = false
    const settled = flush(Math.min(keepUnsynced, unsynced.length))
    unsynced = []
    await settled
  }

  function fail(mine: Session, action: string): AssayError {
    mine.failure = new AssayError('STORE_FAILED', { action })
    return mine.failure
  }

  function assertAlive(mine: Session, action: string): void {
    if (mine.isOver) throw new AssayError('STORE_FAILED', { action: `${action}: the power is off` })
  }

  const pause = (ms: number): Promise<void> => new Promise(resolve => clock.after(ms, resolve))

  return {
    open,
    crash,
    failWrite(nth) {
      assert(nth >= 1, 'writes are counted from 1')
      writesUntilFailure = nth
    },
    failNextSync() {
      syncFails = true
    },
    slowWrites(ms) {
      writeMs = ms
    },
    unsyncedCount: () => unsynced.length
  }
}

async function apply(store: Store, write: Write): Promise<void> {
  if ('clear' in write) await store.clear(write.clear)
  else await store.batch(write.ops, { sync: false })
}

function copyOf(op: StoreOp): StoreOp {
  return op.type === 'put'
    ? { type: 'put', key: Buffer.from(op.key), value: Buffer.from(op.value) }
    : { type: 'del', key: Buffer.from(op.key) }
}
