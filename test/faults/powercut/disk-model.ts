/**
 * What a disk may hold after a power cut, by the rules of ext4 in its default mode: names change in the order in which they were changed,
 * an fsync makes durable the file's bytes and, when the file or directory was changed since, every change of names before it; whatever
 * else was written may be there, in part, or not.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { assert } from '@assay/std'
import { filesBelow } from './files.ts'

/** One record of shim.c. */
export interface Operation {
  readonly type: string
  readonly inode: bigint
  readonly offset: number
  readonly path: string
  readonly bytes: Buffer
}

/** `drop`: nothing stays that was not synced. `keep`: all of it, as when only the process dies. */
export type CrashMode = 'drop' | 'prefix' | 'pages' | 'names' | 'keep'
export const crashModes: readonly CrashMode[] = ['drop', 'prefix', 'pages', 'names', 'keep']

/** What is on the disk, by path; null is a directory. */
export type DiskState = Map<string, Buffer | null>

type Random = (below: number) => number
type FileChange =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'cut'; readonly length: number }
type NameChange =
  | { readonly kind: 'file'; readonly path: string; readonly file: ModelFile }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'gone'; readonly path: string }
  | { readonly kind: 'renamed' | 'linked'; readonly path: string; readonly to: string }
type Names = Map<string, ModelFile | 'directory'>

const HEAD_BYTES = 25
const PAGE_BYTES = 4096

export function* operations(log: Buffer): Generator<Operation> {
  for (let at = 0; at + HEAD_BYTES <= log.length; ) {
    const pathEnd = at + HEAD_BYTES + log.readUInt32LE(at + 17)
    const end = pathEnd + log.readUInt32LE(at + 21)
    assert(end <= log.length, 'the log of operations ends with a whole record')
    yield {
      type: String.fromCharCode(log[at]!),
      inode: log.readBigUInt64LE(at + 1),
      offset: Number(log.readBigUInt64LE(at + 9)),
      path: log.toString('utf8', at + HEAD_BYTES, pathEnd),
      bytes: log.subarray(pathEnd, end)
    }
    at = end
  }
}

/** A file's durable bytes, and what was done to it since. */
class ModelFile {
  durable: Buffer
  pending: FileChange[] = []
  /** Changes that are durable. */
  #settled = 0

  constructor(durable: Buffer) {
    this.durable = durable
  }

  /** So many changes a sync that begins now makes durable. */
  get changes(): number {
    return this.#settled + this.pending.length
  }

  /** Whether any of them was not durable yet. */
  sync(changes: number): boolean {
    const count = changes - this.#settled
    if (count <= 0) return false
    this.durable = after(this.durable, this.pending.slice(0, count))
    this.pending = this.pending.slice(count)
    this.#settled = changes
    return true
  }

  after(mode: CrashMode, random: Random): Buffer {
    if (mode === 'keep') return after(this.durable, this.pending)
    if (mode === 'prefix') return after(this.durable, prefixOf(this.pending, random))
    if (mode === 'pages') return after(this.durable, pagesOf(this.pending, random))
    return this.durable
  }
}

/** Some first changes, the last of them torn at any byte. */
function prefixOf(changes: readonly FileChange[], random: Random): FileChange[] {
  const kept = changes.slice(0, random(changes.length + 1))
  const last = kept.at(-1)
  if (last?.kind === 'write') {
    kept[kept.length - 1] = { ...last, bytes: last.bytes.subarray(0, random(last.bytes.length + 1)) }
  }
  return kept
}

/**
 * The file has its length, but a page goes to the disk as it stood at some moment, or not at all: what was written to it later, or all of
 * it, reads as zeros.
 */
function pagesOf(changes: readonly FileChange[], random: Random): FileChange[] {
  const written = changes.flatMap<FileChange>(change => (change.kind === 'cut' ? [change] : byPage(change)))
  const writesOf = new Map<number, number>()
  for (const change of written) if (change.kind === 'write') writesOf.set(pageOf(change), (writesOf.get(pageOf(change)) ?? 0) + 1)
  // Half of the pages are there as they were last.
  const left = new Map([...writesOf].map(([page, writes]) => [page, random(2) === 0 ? writes : random(writes)]))
  return written.map(change => {
    if (change.kind === 'cut') return change
    const before = left.get(pageOf(change))!
    left.set(pageOf(change), before - 1)
    return before > 0 ? change : { ...change, bytes: Buffer.alloc(change.bytes.length) }
  })
}

type Write = Extract<FileChange, { readonly kind: 'write' }>

const pageOf = ({ offset }: Write): number => Math.floor(offset / PAGE_BYTES)

function byPage({ offset, bytes }: Write): Write[] {
  const pieces: Write[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + PAGE_BYTES - ((offset + at) % PAGE_BYTES)
    pieces.push({ kind: 'write', offset: offset + at, bytes: bytes.subarray(at, end) })
    at = end
  }
  return pieces
}

function after(bytes: Buffer, changes: readonly FileChange[]): Buffer {
  if (changes.length === 0) return bytes
  let end = bytes.length
  let longest = end
  for (const change of changes) {
    end = change.kind === 'cut' ? change.length : Math.max(end, change.offset + change.bytes.length)
    longest = Math.max(longest, end)
  }
  const result = Buffer.alloc(longest)
  bytes.copy(result)
  end = bytes.length
  for (const change of changes) {
    if (change.kind === 'cut') {
      result.fill(0, Math.min(change.length, end), end)
      end = change.length
    } else {
      change.bytes.copy(result, change.offset)
      end = Math.max(end, change.offset + change.bytes.length)
    }
  }
  return result.subarray(0, end)
}

export class DiskModel {
  /** What the workload told so far. */
  readonly marks: string[] = []
  readonly #durable: Names = new Map()
  readonly #pending: NameChange[] = []
  readonly #files = new Map<bigint, ModelFile>()
  /** Syncs that have begun, by their numbers: what was written behind them may be durable or not. */
  readonly #syncs = new Map<number, { readonly file: ModelFile; readonly changes: number; readonly names: number }>()
  #namesSettled = 0

  /** `directory` may hold files already: they count as durable. To be called before the recording begins. */
  constructor(directory: string) {
    for (const path of filesBelow(directory)) {
      const file = new ModelFile(readFileSync(path))
      this.#files.set(statSync(path, { bigint: true }).ino, file)
      this.#durable.set(path, file)
    }
  }

  apply({ type, inode, offset, path, bytes }: Operation): void {
    switch (type) {
      case 'M':
        this.marks.push(...bytes.toString('utf8').split('\n').filter(Boolean))
        break
      case 'C': {
        const file = new ModelFile(Buffer.alloc(0))
        this.#files.set(inode, file)
        this.#pending.push({ kind: 'file', path, file })
        break
      }
      case 'K':
        this.#pending.push({ kind: 'directory', path })
        break
      case 'U':
      case 'Z':
        this.#pending.push({ kind: 'gone', path })
        break
      case 'R':
        this.#pending.push({ kind: 'renamed', path, to: bytes.toString('utf8') })
        break
      case 'L':
        this.#pending.push({ kind: 'linked', path, to: bytes.toString('utf8') })
        break
      case 'T':
        this.#fileOf(inode).pending.push({ kind: 'cut', length: 0 })
        break
      case 't':
        this.#fileOf(inode).pending.push({ kind: 'cut', length: offset })
        break
      case 'W':
        this.#fileOf(inode).pending.push({ kind: 'write', offset, bytes })
        break
      case 'B': {
        const file = this.#fileOf(inode)
        this.#syncs.set(offset, { file, changes: file.changes, names: this.#namesSettled + this.#pending.length })
        break
      }
      case 'S':
        this.#endSync(offset)
        break
      case 'D':
        if (this.#pending.some(change => touches(change, path))) this.#commitNames(this.#namesSettled + this.#pending.length)
        break
      default:
        throw new Error(`an operation of type ${type} was recorded`)
    }
  }

  #fileOf(inode: bigint): ModelFile {
    const file = this.#files.get(inode)
    assert(file !== undefined, 'every file that is changed was seen to be made')
    return file
  }

  /** A file that has not changed since it was last synced is in no transaction of the file system's journal, and commits none. */
  #endSync(number: number): void {
    const { file, changes, names } = this.#syncs.get(number)!
    this.#syncs.delete(number)
    const isNew = this.#pending.some(change => change.kind === 'file' && change.file === file)
    const isChanged = file.sync(changes)
    if (isNew || isChanged) this.#commitNames(names)
  }

  #commitNames(names: number): void {
    const count = names - this.#namesSettled
    if (count <= 0) return
    for (const change of this.#pending.splice(0, count)) applyName(this.#durable, change)
    this.#namesSettled = names
  }

  /** One of the states that power may leave behind if it goes now. */
  crash(mode: CrashMode, random: Random): DiskState {
    const names = new Map(this.#durable)
    for (const change of this.#pending.slice(0, this.#namesKept(mode, random))) applyName(names, change)
    const state: DiskState = new Map()
    for (const [path, file] of names) state.set(path, file === 'directory' ? null : file.after(mode, random))
    return state
  }

  #namesKept(mode: CrashMode, random: Random): number {
    if (mode === 'keep' || mode === 'names') return this.#pending.length
    return mode === 'drop' ? 0 : random(this.#pending.length + 1)
  }
}

function applyName(names: Names, change: NameChange): void {
  if (change.kind === 'file') names.set(change.path, change.file)
  else if (change.kind === 'directory') names.set(change.path, 'directory')
  else if (change.kind === 'gone') names.delete(change.path)
  else if (change.kind === 'linked') names.set(change.to, names.get(change.path)!)
  else rename(names, change.path, change.to)
}

/** What lies in a directory goes with it. */
function rename(names: Names, from: string, to: string): void {
  for (const [path, file] of [...names]) {
    if (path !== from && !path.startsWith(`${from}/`)) continue
    names.delete(path)
    names.set(to + path.slice(from.length), file)
  }
}

const touches = (change: NameChange, directory: string): boolean =>
  dirname(change.path) === directory || ('to' in change && dirname(change.to) === directory)
