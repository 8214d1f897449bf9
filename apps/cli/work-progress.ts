/**
 * How far work is that may take minutes: a bar on a terminal, JSON lines on stderr for programs that ask for them, else nothing. What is
 * done within a second shows nothing.
 */
import { type Progress, progressBar, type Terminal } from './progress-bar.ts'

export const progressModes = ['auto', 'json', 'none'] as const
export type ProgressMode = (typeof progressModes)[number]

export interface WorkProgress {
  readonly report: (state: { readonly done: number; readonly total: number }) => void
  /** Takes the bar away, or tells the end. */
  end(): void
}

const TOLD_EVERY_MS = 1_000
const MEBIBYTE = 1 << 20

export const mebibytes = (bytes: number): string => `${(bytes / MEBIBYTE).toFixed(1)} MiB`

/** `what` is counted: "checked". */
export function workProgress(
  what: string,
  mode: ProgressMode,
  {
    out = process.stderr,
    nowMs = () => performance.now(),
    shown = mebibytes
  }: { readonly out?: Terminal; readonly nowMs?: () => number; readonly shown?: (count: number) => string } = {}
): WorkProgress {
  if (mode === 'none') return { report() {}, end() {} }
  if (mode === 'auto') {
    const bar: Progress = progressBar(what, 0, { out, nowMs, shown })
    return { report: ({ done, total }) => bar.set(done, total), end: bar.end }
  }
  let toldAt = nowMs()
  let last = { done: 0, total: 0 }
  let hasTold = false
  const tell = (): void => {
    hasTold = true
    out.write(`${JSON.stringify({ progress: what, ...last })}\n`)
  }
  return {
    report(state) {
      last = { done: state.done, total: state.total }
      if (nowMs() - toldAt < TOLD_EVERY_MS) return
      toldAt = nowMs()
      tell()
    },
    end() {
      if (hasTold) tell()
    }
  }
}
