/**
 * A Store over LevelDB. Creates its directory safely, never opens a damaged one as an empty one, writes in the order of the calls,
 * and takes no more writes after one has failed: what became of that one is known only after closing and opening again.
 */
import { realpath } from 'node:fs/promises'
import { AssayError, isAssayError } from '@assay/errors'
import { crc32c } from '@node-rs/crc32'
import { Level } from 'level'
import { corrupt, prepareDirectory, syncDirectory } from './directory.ts'
import { isTorn, messageOf, storeFailure } from './failure.ts'
import { levelFaults } from './level-files.ts'
import type { Entry, Range, Store, StoreOp } from './store.ts'
import { checkLogs, tellClosed } from './write-ahead-log.ts'

export interface LevelOptions {
  /** Snappy over LevelDB's blocks. Off by default: record batches mostly come compressed. */
  readonly compression?: boolean
  /** Bytes collected in memory and in LevelDB's log before they become a table; up to two such buffers are held. Default 4 MiB. */
  readonly writeBufferBytes?: number
  /** Bytes of table blocks kept in memory. Default 8 MiB. */
  readonly cacheBytes?: number
  /** Files held open at one time, less ten. Default 1,000. */
  readonly openFilesMax?: number
  /** Refuses with STORE_CORRUPT to create what the caller knows to have been there. Default false. */
  readonly mustExist?: boolean
  /** Reads all tables and compares their checksums before it opens: for stores whose values have none of their own. Default false. */
  readonly isVerified?: boolean
}

const MEBIBYTE = 1 << 20
/** How much an iterator fetches at a time. LevelDB's binding would stop after 16 KiB, which is one record batch. */
const FETCH_BYTES = MEBIBYTE

/**
 * Directories that this process has open. LevelDB must not be asked a second time for one of them: it would refuse, but in doing so
 * close a handle to its LOCK file, and with that the kernel drops the lock that keeps other processes out (POSIX, fcntl).
 * For the same reason nobody may read LOCK while the store is open.
 */
const openHere = new Set<string>()

/** True while this process has the store of this real path open. */
export const isOpenHere = (place: string): boolean => openHere.has(place)

type Database = Level<Uint8Array, Uint8Array>
type Write =
  | { readonly kind: 'batch'; readonly ops: StoreOp[]; sync: boolean }
  | { readonly kind: 'clear'; readonly range: Range }
type Waiting = { readonly write: Write; readonly done: PromiseWithResolvers<void> }

/**
 * Opens the store in `directory`, created if it is absent or empty. Its parent must be writable.
 * Fails with STORE_NOT_OURS, STORE_LOCKED, STORE_CORRUPT, UNSUPPORTED_VERSION, STORE_FULL, STORE_FAILED.
 */
export async function openLevel(directory: string, options: LevelOptions = {}): Promise<Store> {
  await prepareDirectory(directory, { mustExist: options.mustExist ?? false, create: createDatabase })
  const place = await realpath(directory)
  if (openHere.has(place)) throw new AssayError('STORE_LOCKED', { directory })
  openHere.add(place)
  try {
    await checkFiles(directory, options)
    const db = await openDatabase(directory, options)
    return storeOver(db, directory, () => openHere.delete(place))
  } catch (error) {
    openHere.delete(place)
    throw error
  }
}

/** What LevelDB would drop or hand out damaged, and tell nobody. */
async function checkFiles(directory: string, { isVerified = false }: LevelOptions): Promise<void> {
  try {
    await checkLogs(directory)
    if (isVerified) {
      for await (const { file, at, reason } of levelFaults(directory, { crc32c: crcOf, tablesOnly: true }))
        throw corrupt(directory, `${file} is damaged at byte ${at}: ${reason}`)
    }
  } catch (error) {
    if (isAssayError(error)) throw error
    throw storeFailure(`open ${directory}`, error)
  }
}

async function openDatabase(directory: string, options: LevelOptions): Promise<Database> {
  const db: Database = new Level(directory, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await db.open({
      createIfMissing: false,
      errorIfExists: false,
      compression: options.compression ?? false,
      writeBufferSize: options.writeBufferBytes ?? 4 * MEBIBYTE,
      cacheSize: options.cacheBytes ?? 8 * MEBIBYTE,
      maxOpenFiles: options.openFilesMax ?? 1000
    })
  } catch (error) {
    throw openFailure(directory, error)
  }
  try {
    // Opening begins a new log file, and LevelDB leaves it to the file system to remember its name.
    await syncDirectory(directory)
  } catch (error) {
    await db.close()
    throw storeFailure(`open ${directory}`, error)
  }
  return db
}

async function createDatabase(directory: string): Promise<void> {
  const db = new Level(directory)
  await db.open({ createIfMissing: true, errorIfExists: true })
  await db.close()
}

function openFailure(directory: string, error: unknown): AssayError {
  const cause = (error as Error).cause ?? error
  if (codeOf(cause) === 'LEVEL_LOCKED') return new AssayError('STORE_LOCKED', { directory }, { cause })
  if (codeOf(cause) === 'LEVEL_CORRUPTION') return corrupt(directory, messageOf(cause), { cause })
  return storeFailure(`open ${directory}`, cause)
}

function storeOver(db: Database, directory: string, onClosed: () => void): Store {
  const reads = new Set<Promise<unknown>>()
  /** Writes that wait for the one under way. LevelDB's calls run on several threads, so two at once may change places. */
  const queue: Waiting[] = []
  let lane: Promise<void> | undefined
  let failure: AssayError | undefined
  let closing: Promise<void> | undefined

  function assertOpen(action: string): void {
    if (closing !== undefined) throw new AssayError('STORE_FAILED', { action: `${action}: it is closed` })
  }

  async function read<T>(query: () => Promise<T>): Promise<T> {
    assertOpen('read')
    const answer = query()
    reads.add(answer)
    try {
      return await answer
    } catch (error) {
      if (codeOf(error) === 'LEVEL_CORRUPTION') throw corrupt(directory, messageOf(error), { cause: error })
      if (isTorn(error)) throw corrupt(directory, `a file ends too soon: ${messageOf(error)}`, { cause: error })
      throw storeFailure('read', error)
    } finally {
      reads.delete(answer)
    }
  }

  function submit(write: Write): Promise<void> {
    assertOpen('write')
    if (failure !== undefined) throw failure
    if (lane === undefined) {
      const done = execute(write)
      lane = done.catch(() => {}).then(drain)
      return done
    }
    const last = queue.at(-1)
    const copy = copyOf(write)
    // Batches that wait for the same turn become one write with one fsync: still all or nothing, still in order.
    if (last?.write.kind === 'batch' && copy.kind === 'batch') {
      for (const op of copy.ops) last.write.ops.push(op)
      last.write.sync ||= copy.sync
      return last.done.promise
    }
    const done = Promise.withResolvers<void>()
    queue.push({ write: copy, done })
    return done.promise
  }

  async function drain(): Promise<void> {
    for (let waiting = queue.shift(); waiting !== undefined; waiting = queue.shift()) {
      try {
        if (failure !== undefined) throw failure
        await execute(waiting.write)
        waiting.done.resolve()
      } catch (error) {
        waiting.done.reject(error)
      }
    }
    lane = undefined
  }

  /** The binding copies keys and values before its first wait, so the caller's buffers are free when this returns its promise. */
  async function execute(write: Write): Promise<void> {
    try {
      if (write.kind === 'batch') await db.batch(write.ops, { sync: write.sync })
      else await db.clear(write.range)
    } catch (error) {
      failure = storeFailure('write', error)
      throw failure
    }
  }

  async function close(): Promise<void> {
    await Promise.allSettled([lane, ...reads])
    try {
      await db.close()
      // Where that fails the next start finds what it finds after a crash.
      if (failure === undefined) await tellClosed(directory).catch(() => {})
      onClosed()
    } catch (error) {
      throw storeFailure('close', error)
    }
  }

  return {
    get: key => read(async () => asBuffer(await db.get(key))),
    getMany: keys => read(async () => (await db.getMany([...keys])).map(asBuffer)),
    range: ({ bytesMax, ...range }) =>
      read(async () => {
        const iterator = db.iterator({ ...range, highWaterMarkBytes: FETCH_BYTES })
        const entries = bytesMax === undefined ? await iterator.all() : await firstOf(iterator, bytesMax)
        return entries.map(([key, value]): Entry => ({ key: asBuffer(key), value: asBuffer(value) }))
      }),
    batch: async (ops, { sync }) => submit({ kind: 'batch', ops: ops as StoreOp[], sync }),
    clear: async range => submit({ kind: 'clear', range }),
    close() {
      closing ??= close()
      return closing
    }
  }
}

async function firstOf(iterator: AsyncIterable<[Uint8Array, Uint8Array]>, bytesMax: number): Promise<[Uint8Array, Uint8Array][]> {
  const entries: [Uint8Array, Uint8Array][] = []
  let bytes = 0
  for await (const [key, value] of iterator) {
    entries.push([key, value])
    bytes += key.length + value.length
    if (bytes >= bytesMax) break
  }
  return entries
}

function copyOf(write: Write): Write {
  if (write.kind === 'clear') return { kind: 'clear', range: copyOfRange(write.range) }
  const ops = write.ops.map(
    (op): StoreOp =>
      op.type === 'put'
        ? { type: 'put', key: Buffer.from(op.key), value: Buffer.from(op.value) }
        : { type: 'del', key: Buffer.from(op.key) }
  )
  return { kind: 'batch', ops, sync: write.sync }
}

function copyOfRange(range: Range): Range {
  const bounds = Object.entries(range).map(([name, bound]) => [name, bound instanceof Uint8Array ? Buffer.from(bound) : bound])
  return Object.fromEntries(bounds) as Range
}

function asBuffer(bytes: Uint8Array): Buffer
function asBuffer(bytes: Uint8Array | undefined): Buffer | undefined
function asBuffer(bytes: Uint8Array | undefined): Buffer | undefined {
  if (bytes === undefined || Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const crcOf = (bytes: Uint8Array, start = 0, end = bytes.length): number => crc32c(bytes.subarray(start, end))
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code
