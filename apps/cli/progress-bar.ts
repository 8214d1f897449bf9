/** How far a long piece of work is, on a terminal only, and only when it takes more than a second: programs and logs see nothing of it. */
import pc from 'picocolors'

export interface Progress {
  step(): void
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
  total: number,
  { out = process.stderr, nowMs = () => performance.now() }: { readonly out?: Terminal; readonly nowMs?: () => number } = {}
): Progress {
  const started = nowMs()
  let done = 0
  let drawnAt = 0
  return {
    step() {
      done++
      const now = nowMs()
      if (!out.isTTY || now - started < APPEARS_AFTER_MS || now - drawnAt < REDRAWN_EVERY_MS) return
      drawnAt = now
      const full = Math.round((CELLS * done) / total)
      out.write(`\r${pc.green('#'.repeat(full))}${pc.dim('-'.repeat(CELLS - full))} ${done} of ${total} ${what} \x1b[K`)
    },
    end() {
      if (drawnAt > 0) out.write('\r\x1b[K')
    }
  }
}
