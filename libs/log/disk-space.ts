/**
 * Watches how much space is left on the disk. Below the floor the log refuses appends, while there still is space to delete with; what the
 * disk itself has refused is mended here too, as soon as there is room for it.
 */
import { AssayError } from '@assay/errors'
import type { Clock, Logger, Timer } from '@assay/std'

export interface DiskSpaceParts {
  /** Bytes that may still be written; undefined where nobody can say. */
  readonly freeBytes: (() => Promise<number>) | undefined
  /** 0: nothing is refused before the disk does. */
  readonly floorBytes: number
  readonly clock: Clock
  readonly logger: Logger
  /** True when the disk has refused a write and was not mended since. */
  readonly isBroken: () => boolean
  /** Called when there may be room again, and once more later as long as it is still broken. Never rejects. */
  readonly mend: () => Promise<void>
}

export interface DiskSpace {
  /** Why nothing is to be appended now; undefined when there is space enough. */
  readonly refusal: AssayError | undefined
  /** Looks at once, and not only when its time has come. */
  look(): void
  /** Waits for what is under way. */
  stop(): Promise<void>
}

const INTERVAL_MS = 1000
/** What it takes to open two stores again: their logs become tables. */
const MEND_BYTES_MIN = 8 << 20

export function watchDiskSpace({ freeBytes, floorBytes, clock, logger, isBroken, mend }: DiskSpaceParts): DiskSpace {
  const isWatched = freeBytes !== undefined && floorBytes > 0
  const mendBytes = floorBytes > 0 ? Math.min(floorBytes, MEND_BYTES_MIN) : MEND_BYTES_MIN
  let refusal: AssayError | undefined
  let isStopped = false
  let hasFailed = false
  let timer: Timer | undefined
  let looking: Promise<void> | undefined

  function look(): void {
    if (isStopped || looking !== undefined) return
    timer?.cancel()
    looking = lookNow().finally(() => {
      looking = undefined
      if (!isStopped && (isWatched || isBroken())) timer = clock.after(INTERVAL_MS, look)
    })
  }

  async function lookNow(): Promise<void> {
    const free = await ask()
    compare(free)
    if (isBroken() && (free === undefined || free >= mendBytes)) await mend()
  }

  async function ask(): Promise<number | undefined> {
    try {
      const free = await freeBytes?.()
      hasFailed = false
      return free
    } catch (error) {
      if (!hasFailed) logger.warn({ error }, 'how much space is left on the disk cannot be found out')
      hasFailed = true
      return undefined
    }
  }

  function compare(free: number | undefined): void {
    if (free === undefined) return
    const wasLow = refusal !== undefined
    refusal = free < floorBytes ? tooLittle(free, floorBytes) : undefined
    if (wasLow === (refusal !== undefined)) return
    if (refusal === undefined) logger.info({ free }, 'there is space enough on the disk again')
    else logger.error({ free, kept: floorBytes }, 'there is too little space on the disk; appends are refused, reads go on')
  }

  if (isWatched) look()
  return {
    get refusal() {
      return refusal
    },
    look,
    async stop() {
      isStopped = true
      timer?.cancel()
      await looking
    }
  }
}

const tooLittle = (free: number, floor: number): AssayError =>
  new AssayError('STORE_FULL', {
    action: `append: ${free} bytes are free on the disk, and ${floor} are kept free. It goes on by itself once there is space`
  })
