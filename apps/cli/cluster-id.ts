/**
 * The name of this cluster, made with its data directory and kept in it: clients tell by it whether they reached another cluster.
 * A checksum stands behind it, for one wrong character would be another name.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { AssayError } from '@assay/errors'

const FILE = 'cluster-id'
/** Without a checksum, as it was written before there was one. */
const PLAIN_PATTERN = /^[\w-]{22}\n$/

/** 22 characters, as Kafka's: 16 random bytes in base64url. The directory exists. Fails with STORE_CORRUPT when the file is damaged. */
export function clusterIdOf(directory: string): string {
  const path = join(directory, FILE)
  if (existsSync(path)) return readClusterId(path)
  const id = randomBytes(16).toString('base64url')
  const temporary = `${path}.creating`
  const file = openSync(temporary, 'w')
  writeSync(file, textOf(id))
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, path)
  return id
}

function readClusterId(path: string): string {
  const text = readFileSync(path, 'latin1')
  const id = text.slice(0, 22)
  if (text !== textOf(id) && !PLAIN_PATTERN.test(text))
    throw new AssayError('STORE_CORRUPT', { what: path, reason: 'it holds no cluster ID with its checksum' })
  return id
}

const textOf = (id: string): string => `${id} ${crc32(id).toString(16).padStart(8, '0')}\n`
