/** How far a start is that has to read much of the journal: a bar on a terminal, else a line of the log each second. */
import type { Replay } from '@assay/log'
import type { Logger } from '@assay/std'
import { type Progress, progressBar, type Terminal } from './progress-bar.ts'

export interface ReplayProgress {
  readonly report: (state: Replay) => void
  /** Takes the bar away. */
  readonly end: () => void
}

const TOLD_EVERY_MS = 1_000

export function replayProgress(
  logger: Logger,
  { out = process.stderr, nowMs = () => performance.now() }: { readonly out?: Terminal; readonly nowMs?: () => number } = {}
): ReplayProgress {
  let bar: Progress | undefined
  let toldAt = nowMs()
  return {
    report({ done, total, isRebuilding }) {
      const what = isRebuilding ? 'batches indexed anew' : 'batches replayed'
      if (out.isTTY) {
        bar ??= progressBar(what, total, { out, nowMs })
        bar.set(done, total)
        return
      }
      if (nowMs() - toldAt < TOLD_EVERY_MS) return
      toldAt = nowMs()
      logger.info({ done, total }, what)
    },
    end: () => bar?.end()
  }
}
