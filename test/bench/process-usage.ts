/** What a process has used so far, from /proc; undefined where there is none. */
import { existsSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

export interface Usage {
  readonly cpuMs: number
  readonly rssMiB: number
}

export function usageOf(pid: number): Usage | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  const rssKiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return { cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND, rssMiB: rssKiB / 1024 }
}
