/** Files in the data directory besides the log. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Derived from the log: docs/formats/registry-snapshot.md. */
export const REGISTRY_SNAPSHOT = 'registry.snapshot'
/** The name of this cluster, made with its data directory: clients tell by it whether they reached another cluster. */
export const CLUSTER_ID_FILE = 'cluster-id'

/** 22 characters, as Kafka's: 16 random bytes in base64url. The directory exists. */
export function clusterIdOf(directory: string): string {
  const path = join(directory, CLUSTER_ID_FILE)
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  const id = randomBytes(16).toString('base64url')
  writeClusterId(directory, id)
  return id
}

export function writeClusterId(directory: string, id: string): void {
  const path = join(directory, CLUSTER_ID_FILE)
  const temporary = `${path}.creating`
  const file = openSync(temporary, 'w')
  writeSync(file, `${id}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, path)
}

/** What is wrong with the file; undefined when it is right, or not there, which a start makes good. */
export function clusterIdFault(directory: string): string | undefined {
  const path = join(directory, CLUSTER_ID_FILE)
  if (!existsSync(path)) return undefined
  return /^[\w-]{22}\n$/.test(readFileSync(path, 'latin1')) ? undefined : 'it holds no cluster ID'
}
