/** How far each partition is processed, and when to tell the broker: the last processed offset is committed at intervals and at the end. */

export interface Committable {
  readonly topic: string
  readonly partition: number
  commit(): void | Promise<void>
}

export interface Progress {
  /** Called in the order of the offsets of a partition. */
  processed(record: Committable): void
  /** Commits when the interval is over. */
  commitWhenDue(): Promise<void>
  commit(): Promise<void>
}

/** `now` in milliseconds, of any clock that only goes forward. */
export function progressOf(intervalMs: number, now: () => number = () => performance.now()): Progress {
  const last = new Map<string, Committable>()
  let committedAt = now()
  const commit = async (): Promise<void> => {
    committedAt = now()
    const due = [...last.values()]
    last.clear()
    await Promise.all(due.map(record => record.commit()))
  }
  return {
    processed: record => {
      last.set(`${record.partition}/${record.topic}`, record)
    },
    commitWhenDue: async () => {
      if (last.size > 0 && now() - committedAt >= intervalMs) await commit()
    },
    commit
  }
}
