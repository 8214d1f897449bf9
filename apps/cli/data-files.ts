/** Files in the data directory besides the log. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { AssayError } from '@assay/errors'

/** Derived from the log: docs/formats/registry-snapshot.md. */
export const REGISTRY_SNAPSHOT = 'registry.snapshot'
/** The name of this cluster, made with its data directory: clients tell by it whether they reached another cluster. */
export const CLUSTER_ID_FILE = 'cluster-id'

/** 22 characters, as Kafka's: 16 random bytes in base64url. The directory exists. Fails with STORE_CORRUPT when the file is damaged. */
export function clusterIdOf(directory: string): string {
  const path = join(directory, CLUSTER_ID_FILE)
  if (!existsSync(path)) {
    const id = randomBytes(16).toString('base64url')
    writeClusterId(directory, id)
    return id
  }
  const reason = clusterIdFault(directory)
  if (reason !== undefined) throw new AssayError('STORE_CORRUPT', { what: path, reason })
  return readFileSync(path, 'latin1').slice(0, ID_CHARS)
}

export function writeClusterId(directory: string, id: string): void {
  const path = join(directory, CLUSTER_ID_FILE)
  const temporary = `${path}.creating`
  const file = openSync(temporary, 'w')
  writeSync(file, textOf(id))
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, path)
}

/** What is wrong with the file; undefined when it is right, or not there, which a start makes good. */
export function clusterIdFault(directory: string): string | undefined {
  const path = join(directory, CLUSTER_ID_FILE)
  if (!existsSync(path)) return undefined
  const text = readFileSync(path, 'latin1')
  return text === textOf(text.slice(0, ID_CHARS)) ? undefined : 'it holds no cluster ID with its checksum'
}

const ID_CHARS = 22
/** A checksum stands behind it, for one wrong character would be another name. */
const textOf = (id: string): string => `${id} ${crc32(id).toString(16).padStart(8, '0')}\n`
