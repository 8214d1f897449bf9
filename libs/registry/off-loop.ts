/** Sends heavy work to a thread of its own, one job at a time, bounded in number and in time. The thread starts with the first job. */
import { Worker } from 'node:worker_threads'
import { AssayError, type ErrorName } from '@assay/errors'
import type { AnswerMessage, JobMessage } from './heavy-thread.ts'
import type { HeavyAnswer, HeavyJob } from './heavy-work.ts'
import type { RegistryLimits } from './limits.ts'

export interface OffLoop {
  /** Fails with INVALID_SCHEMA (also when it takes too long), REGISTRY_BUSY when too many wait. */
  work(job: HeavyJob): Promise<HeavyAnswer>
  close(): Promise<void>
}

/**
 * Thrown where an answer would take too long to be worked out on the event loop, by code that is asked for it there: who catches it has the
 * work done elsewhere and asks again, and then finds the answer.
 */
export class HeavyWork extends Error {
  readonly job: HeavyJob
  /** Puts the answer where the next asking finds it. */
  readonly keep: (answer: HeavyAnswer) => void
  constructor(job: HeavyJob, keep: (answer: HeavyAnswer) => void) {
    super('this is done beside the event loop')
    this.name = 'HeavyWork'
    this.job = job
    this.keep = keep
  }
}

/** Each round does one piece of work; the state may move on in between and ask for another. */
const roundsMax = 20

/** Asks until the answer needs no more heavy work. Fails as `ask` and `OffLoop.work`. */
export async function withHeavyWork<A>(offLoop: OffLoop, ask: () => A | Promise<A>): Promise<A> {
  for (let round = 0; ; round++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof HeavyWork)) throw error
      if (round === roundsMax) throw new AssayError('REGISTRY_BUSY', { limit: roundsMax })
      error.keep(await offLoop.work(error.job))
    }
  }
}

interface Waiting {
  readonly job: HeavyJob
  readonly resolve: (answer: HeavyAnswer) => void
  readonly reject: (error: unknown) => void
}

export function openOffLoop({ heavyJobsMax, heavyTimeMaxMs }: Pick<RegistryLimits, 'heavyJobsMax' | 'heavyTimeMaxMs'>): OffLoop {
  const queue: Waiting[] = []
  let thread: Worker | undefined
  let current: { readonly number: number; readonly waiting: Waiting; readonly timer: NodeJS.Timeout } | undefined
  let number = 0
  let closed = false

  const start = (): Worker => {
    // The extension is that of this very file: the sources run as they are, and so does what is built from them.
    const started = new Worker(new URL(`./heavy-thread${import.meta.url.slice(-3)}`, import.meta.url), { name: 'heavy schemas' })
    started.unref()
    started.on('message', (message: AnswerMessage) => {
      if (message.number !== current?.number) return
      const waiting = finish()
      if ('answer' in message) waiting.resolve(message.answer)
      else waiting.reject(failureOf(message.failed))
    })
    started.on('error', error => {
      if (thread === started) thread = undefined
      if (current) finish().reject(error)
    })
    return started
  }

  const finish = (): Waiting => {
    const { waiting, timer } = current!
    clearTimeout(timer)
    current = undefined
    queueMicrotask(next)
    return waiting
  }

  const next = (): void => {
    if (current || closed) return
    const waiting = queue.shift()
    if (!waiting) return
    thread ??= start()
    number++
    const timer = setTimeout(() => void giveUp(), heavyTimeMaxMs)
    current = { number, waiting, timer }
    thread.postMessage({ number, job: waiting.job } satisfies JobMessage)
  }

  /** The only way to stop a thread that computes is to end it. */
  const giveUp = async (): Promise<void> => {
    const stuck = thread
    thread = undefined
    finish().reject(
      new AssayError('INVALID_SCHEMA', {
        reason: `parsing and comparing it takes longer than ${heavyTimeMaxMs} ms; make it smaller or less entangled`
      })
    )
    await stuck?.terminate()
  }

  return {
    work(job) {
      if (closed) return Promise.reject(new AssayError('STORE_FAILED', { action: 'judge a schema: the registry is closed' }))
      if (queue.length >= heavyJobsMax) return Promise.reject(new AssayError('REGISTRY_BUSY', { limit: heavyJobsMax }))
      return new Promise((resolve, reject) => {
        queue.push({ job, resolve, reject })
        next()
      })
    },
    async close() {
      closed = true
      const gone = new AssayError('STORE_FAILED', { action: 'judge a schema: the registry is closed' })
      for (const waiting of queue.splice(0)) waiting.reject(gone)
      if (current) finish().reject(gone)
      await thread?.terminate()
    }
  }
}

function failureOf(failed: { readonly code: string; readonly facts: object } | { readonly fault: string }): Error {
  if ('fault' in failed) return new Error(failed.fault)
  return new AssayError(failed.code as ErrorName, failed.facts as never)
}
