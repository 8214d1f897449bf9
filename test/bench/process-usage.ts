/** What a process has used so far, as /proc tells it; undefined where there is none. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** USER_HZ: 100 on every Linux that Node runs on (proc(5)). */
const TICKS_PER_SECOND = 100

export interface Usage {
  /** User and system time of all threads. */
  readonly cpuMs: number
  readonly rssMiB: number
}

export function usageOf(pid: number): Usage | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined
  const fields = statFields(pid)
  return { cpuMs: milliseconds(fields[11], fields[12]), rssMiB: mebibytesOf(pid, 'VmRSS') }
}

/** The most memory that it held, since its start or the last `forgetPeak`; undefined without /proc. */
export const rssPeakMiB = (pid: number): number | undefined =>
  existsSync(`/proc/${pid}/status`) ? mebibytesOf(pid, 'VmHWM') : undefined

/** Processor time of the children of this process that have ended; undefined without /proc. */
export function endedChildrenCpuMs(): number | undefined {
  if (!existsSync('/proc/self/stat')) return undefined
  const fields = statFields('self')
  return milliseconds(fields[13], fields[14])
}

/** Processor time that the whole machine has used, by whomever; undefined without /proc. */
export function machineCpuMs(): number | undefined {
  if (!existsSync('/proc/stat')) return undefined
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(1)
  return milliseconds(user, nice, system, irq, softirq)
}

/** From here on the peak counts anew; where that is not allowed it stays the peak since the start. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {}
}

const mebibytesOf = (pid: number, name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

/** The command, second of the fields, may hold spaces and brackets: what follows its last bracket begins with field 3. */
function statFields(pid: number | 'self'): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

const milliseconds = (...ticks: readonly (string | undefined)[]): number =>
  (ticks.reduce((sum, value) => sum + Number(value ?? 0), 0) * 1000) / TICKS_PER_SECOND
