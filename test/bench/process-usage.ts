/** What a process has used so far, as /proc tells it; undefined where there is none. */
import { existsSync, readFileSync } from 'node:fs'

/** USER_HZ: 100 on every Linux that Node runs on (proc(5)). */
const TICKS_PER_SECOND = 100

export interface Usage {
  /** User and system time of all threads. */
  readonly cpuMs: number
  readonly rssMiB: number
}

export function usageOf(pid: number): Usage | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined
  // The command, second of the fields, may hold spaces and brackets: what follows its last bracket begins with field 3.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const rssKiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return { cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND, rssMiB: rssKiB / 1024 }
}
