/** Segments on faulty disks, one for each, whose power goes at the same time. A segment is made and dropped at once, as directories are renamed. */
import { AssayError } from '@assay/errors'
import { memorySegments, type Segments, type Store } from '@assay/store'
import { type FaultyDisk, faultyDisk } from '../../../test/faults/faulty-store.ts'

export interface FaultySegments {
  /** The segments for one life of a log: when power has gone it can do nothing more. */
  open(): Segments
  crash(options: { readonly keepUnsynced: number }): Promise<void>
  failWrite(nth: number): void
  failNextSync(): void
  /** The next segment is not made. */
  failNextRoll(): void
  /** A copy of all rows that readers see now. */
  copy(): Promise<Segments>
  readonly firsts: readonly number[]
  /** Stores that are open now. */
  readonly openCount: number
}

export function faultySegments(): FaultySegments {
  const disks = new Map<number, FaultyDisk>()
  const stores = new Map<number, Store>()
  let rollFails = false
  let lives = 0

  const firsts = (): number[] => [...disks.keys()].sort((a, b) => a - b)
  const newest = (): FaultyDisk => disks.get(firsts().at(-1)!)!

  async function open(first: number): Promise<Store> {
    const disk = disks.get(first)
    if (disk === undefined) throw new AssayError('STORE_CORRUPT', { what: `Segment ${first}`, reason: 'it is gone' })
    const store = await disk.open()
    stores.set(first, store)
    return {
      ...store,
      async close() {
        await store.close()
        if (stores.get(first) === store) stores.delete(first)
      }
    }
  }

  function session(): Segments {
    const mine = lives
    const assertAlive = (): void => {
      if (mine !== lives) throw new AssayError('STORE_FAILED', { action: 'work on segments: the power is off' })
    }
    return {
      async list() {
        assertAlive()
        return firsts()
      },
      async open(first) {
        assertAlive()
        return open(first)
      },
      async roll(first) {
        assertAlive()
        if (rollFails) {
          rollFails = false
          throw new AssayError('STORE_FAILED', { action: 'make a segment' })
        }
        disks.set(first, faultyDisk({ clearsForGood: true }))
        return open(first)
      },
      async drop(first) {
        assertAlive()
        if (stores.has(first)) throw new Error(`segment ${first} is dropped while it is open`)
        disks.delete(first)
      }
    }
  }

  return {
    open: session,
    async crash(options) {
      lives++
      await Promise.all([...disks.values()].map(disk => disk.crash(options)))
      stores.clear()
      rollFails = false
    },
    failWrite: nth => newest().failWrite(nth),
    failNextSync: () => newest().failNextSync(),
    failNextRoll() {
      rollFails = true
    },
    async copy() {
      const copied = memorySegments()
      for (const first of firsts()) {
        const isOpen = stores.has(first)
        const store = stores.get(first) ?? (await disks.get(first)!.open())
        const rows = await store.range({})
        const target = await copied.roll(first)
        await target.batch(
          rows.map(({ key, value }) => ({ type: 'put', key, value })),
          { sync: true }
        )
        await target.close()
        if (!isOpen) await store.close()
      }
      return copied
    },
    get firsts() {
      return firsts()
    },
    get openCount() {
      return stores.size
    }
  }
}
