/** Where figures were measured: without it they mean nothing. */
import { cpus, totalmem } from 'node:os'
import { round } from './table.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
}

export function machine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: round(totalmem() / 2 ** 30),
    node: process.versions.node
  }
}
