/** The thread beside the event loop: takes one heavy job after the other and answers it. */
import { parentPort } from 'node:worker_threads'
import { isAssayError } from '@assay/errors'
import { type HeavyAnswer, type HeavyJob, heavyWorker } from './heavy-work.ts'

export interface JobMessage {
  readonly number: number
  readonly job: HeavyJob
}

export type AnswerMessage = { readonly number: number } & (
  | { readonly answer: HeavyAnswer }
  | { readonly failed: { readonly code: string; readonly facts: object } | { readonly fault: string } }
)

const work = heavyWorker()

parentPort?.on('message', ({ number, job }: JobMessage) => {
  parentPort?.postMessage(answerTo(number, job))
})

function answerTo(number: number, job: HeavyJob): AnswerMessage {
  try {
    return { number, answer: work(job) }
  } catch (error) {
    // An error does not keep its class on the way to another thread.
    if (isAssayError(error)) return { number, failed: { code: error.code, facts: error.facts } }
    return { number, failed: { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) } }
  }
}
