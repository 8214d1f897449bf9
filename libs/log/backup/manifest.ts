/** What a backup says of itself: its partitions, their files, sizes and checksums. Written last: without it there is no backup. */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError } from '@assay/errors'
import type { Offset } from '../log.ts'
import { BACKUP_FORMAT } from './frames.ts'

export interface BackedUpPartition {
  readonly topicId: string
  readonly partition: number
  readonly startOffset: Offset
  /** The next offset to be given. */
  readonly endOffset: Offset
  readonly batches: number
  readonly bytes: number
  /** Of the file; of no bytes when there is none. */
  readonly sha256: string
}

export interface Manifest {
  readonly format: number
  readonly clusterId: string
  readonly takenAtMs: number
  readonly partitions: readonly BackedUpPartition[]
}

export const MANIFEST_FILE = 'manifest.json'
export const PARTITIONS_DIRECTORY = 'partitions'
const TEXT_BYTES_MAX = 1 << 29

/** A partition without a batch has none. */
export const fileOf = (
  directory: string,
  { topicId, partition }: { readonly topicId: string; readonly partition: number }
): string => join(directory, PARTITIONS_DIRECTORY, `${topicId}-${partition}.batches`)

export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  await writeFile(join(directory, MANIFEST_FILE), textOf(manifest), { flag: 'wx' })
}

/** Fails with INVALID_ARGUMENT where there is no backup, STORE_CORRUPT when the manifest is damaged, UNSUPPORTED_VERSION. */
export async function readManifest(directory: string): Promise<Manifest> {
  const path = join(directory, MANIFEST_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isNone = code === 'ENOENT' || code === 'ENOTDIR'
    const reason = isNone
      ? `${directory} is no backup, or one that was cut off: it has no ${MANIFEST_FILE}`
      : `${path}: ${message}`
    throw new AssayError('INVALID_ARGUMENT', { reason }, { cause: error })
  }
  const damaged = (reason: string): AssayError => new AssayError('STORE_CORRUPT', { what: path, reason })
  if (text.length > TEXT_BYTES_MAX) throw damaged('it is too large')
  let content: { readonly backup?: Partial<Manifest> } | null
  try {
    content = JSON.parse(text) as typeof content
  } catch {
    throw damaged('it is not JSON')
  }
  const manifest = content?.backup
  if (typeof manifest !== 'object' || manifest === null) throw damaged('it holds no backup')
  if (Number.isSafeInteger(manifest.format) && manifest.format! > BACKUP_FORMAT) {
    const reason = `it has format ${manifest.format} and this is for format ${BACKUP_FORMAT}`
    throw new AssayError('UNSUPPORTED_VERSION', { what: `The backup ${directory}`, reason })
  }
  if (textOf(manifest as Manifest) !== text) throw damaged('its checksum does not match')
  if (!isManifest(manifest)) throw damaged('a part of it is missing')
  return manifest
}

/** To be what it was when it was written, it must be the very same text. */
function textOf(backup: Manifest): string {
  const sha256 = createHash('sha256').update(JSON.stringify(backup)).digest('hex')
  return `${JSON.stringify({ sha256, backup })}\n`
}

function isManifest(manifest: Partial<Manifest>): manifest is Manifest {
  const { format, clusterId, takenAtMs, partitions } = manifest
  return (
    format === BACKUP_FORMAT &&
    typeof clusterId === 'string' &&
    Number.isSafeInteger(takenAtMs) &&
    Array.isArray(partitions) &&
    partitions.every(isPartition)
  )
}

/** Names become names of files: nothing else may be in them. */
export function isPartition(partition: Partial<BackedUpPartition>): boolean {
  const { topicId, partition: number, startOffset, endOffset } = partition
  return (
    typeof topicId === 'string' &&
    /^[0-9a-f]{32}$/.test(topicId) &&
    [number, startOffset, endOffset].every(count => Number.isSafeInteger(count) && count! >= 0) &&
    number! < 2 ** 31 &&
    startOffset! <= endOffset!
  )
}
