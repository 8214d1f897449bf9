/** Where a server keeps what it is told: in the data directory of its settings, or in the memory of the process for as long as it runs. */
import { randomBytes } from 'node:crypto'
import { statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '@assay/config'
import type { LogDirectory } from '@assay/engine'
import { type Log, openLog, openLogOver, type Replay } from '@assay/log'
import { type SnapshotStore, snapshotFile } from '@assay/registry'
import { type Logger, systemClock } from '@assay/std'
import { memorySegments, memoryStore } from '@assay/store'
import { clusterIdOf, REGISTRY_SNAPSHOT } from './data-files.ts'

export interface OpenStorage {
  readonly log: Log
  readonly clusterId: string
  /** Without it the log is in memory. */
  readonly logDirectory?: LogDirectory
  /** Without it the registry reads its whole log at each start. */
  readonly snapshots?: SnapshotStore
}

export type Storage = (config: Config, logger: Logger, onReplay: (state: Replay) => void) => Promise<OpenStorage>

const optionsOf = (config: Config, logger: Logger) => ({
  ...config,
  inflateBytesMax: config.decompressedBytesMax,
  clock: systemClock,
  logger
})

export const onDisk: Storage = async (config, logger, onReplay) => {
  const { data } = config
  const log = await openLog({ ...optionsOf(config, logger), directory: data, onReplay })
  let clusterId: string
  try {
    clusterId = clusterIdOf(data)
  } catch (error) {
    await log.close()
    throw error
  }
  return {
    log,
    clusterId,
    logDirectory: { path: resolve(data), volume: () => volumeOf(data) },
    snapshots: snapshotFile(join(data, REGISTRY_SNAPSHOT))
  }
}

/** Gone with the server. */
export const inMemory: Storage = async (config, logger) => ({
  log: await openLogOver({ ...optionsOf(config, logger), journal: memorySegments(), index: memoryStore() }),
  clusterId: randomBytes(16).toString('base64url')
})

/** The room of the volume that a directory is on. */
async function volumeOf(directory: string): Promise<{ totalBytes: number; usableBytes: number }> {
  const { bsize, blocks, bavail } = await statfs(directory)
  return { totalBytes: bsize * blocks, usableBytes: bsize * bavail }
}
