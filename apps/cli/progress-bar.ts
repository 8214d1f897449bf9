/** How far a long piece of work is, on a terminal only, and only when it takes more than a second: programs and logs see nothing of it. */
import pc from 'picocolors'

export interface Progress {
  step(): void
  /** So much is done, of so much: where that is known only on the way. */
  set(done: number, total: number): void
  /** Takes the bar away. */
  end(): void
}

const APPEARS_AFTER_MS = 1_000
const REDRAWN_EVERY_MS = 100
const CELLS = 30

export interface Terminal {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** `what` is counted: "schemas registered". */
export function progressBar(
  what: string,
  whole: number,
  {
    out = process.stderr,
    nowMs = () => performance.now(),
    shown = String
  }: { readonly out?: Terminal; readonly nowMs?: () => number; readonly shown?: (count: number) => string } = {}
): Progress {
  const started = nowMs()
  let total = whole
  let done = 0
  let drawnAt = 0

  function draw(): void {
    const now = nowMs()
    if (!out.isTTY || now - started < APPEARS_AFTER_MS || now - drawnAt < REDRAWN_EVERY_MS) return
    drawnAt = now
    const full = Math.round(CELLS * Math.min(total === 0 ? 1 : done / total, 1))
    out.write(
      `\r${pc.green('#'.repeat(full))}${pc.dim('-'.repeat(CELLS - full))} ${shown(done)} of ${shown(total)} ${what} \x1b[K`
    )
  }

  return {
    step() {
      done++
      draw()
    },
    set(nowDone, nowTotal) {
      done = nowDone
      total = nowTotal
      draw()
    },
    end() {
      if (drawnAt > 0) out.write('\r\x1b[K')
    }
  }
}
