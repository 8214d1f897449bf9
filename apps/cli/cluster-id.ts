/** The name of this cluster, made with its data directory and kept in it: clients tell by it whether they reached another cluster. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'cluster-id'

/** 22 characters, as Kafka's: 16 random bytes in base64url. The directory exists. */
export function clusterIdOf(directory: string): string {
  const path = join(directory, FILE)
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  const id = randomBytes(16).toString('base64url')
  const temporary = `${path}.creating`
  const file = openSync(temporary, 'w')
  writeSync(file, `${id}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, path)
  return id
}
