/** Sends malformed requests over several connections at once, watches the server's memory, and tells every answer that was not in order. */
import { usageOf } from '../../bench/process-usage.ts'
import type { Served } from '../../served.ts'
import { type Malformed, malformedRequest } from './malformed.ts'
import type { RouteFacts } from './routes.ts'
import { faultsOf } from './verdict.ts'
import { type WireClient, wireClient } from './wire-client.ts'

export interface StormOptions {
  readonly served: Served
  readonly routes: readonly RouteFacts[]
  readonly count: number
  readonly seed: number
}

export interface StormReport {
  readonly requests: number
  readonly seconds: number
  /** Each with the number that makes the request again. */
  readonly faults: readonly string[]
  /** How many answers there were of each status; `cut off` for connections that were closed instead. */
  readonly answers: ReadonlyMap<string, number>
  readonly slowestMs: number
  /** Resident set before, and the largest while it went on. */
  readonly rssMiB: { readonly before: number; readonly largest: number }
}

const CONNECTIONS = 16
const ANSWER_TIMEOUT_MS = 5000
const ANSWER_MS_MAX = 250
/** Of the same fault in requests of the same kind; the first are enough to mend it. */
const LIKE_FAULTS_MAX = 3
const TRIES = 3

export async function storm({ served, routes, count, seed }: StormOptions): Promise<StormReport> {
  const address = new URL(served.http).host
  const faults: string[] = []
  const slow: number[] = []
  const answers = new Map<string, number>()
  const before = rssOf(served)
  let largest = before
  let slowestMs = 0
  let next = 0
  const likeFaults = new Map<string, number>()
  const say = (index: number, { kind, answers: expected }: Malformed, fault: string): void => {
    // Which of several it was is not known.
    const alike = `${expected === 1 ? kind : 'several'}: ${fault.slice(0, 40)}`
    const count = likeFaults.get(alike) ?? 0
    likeFaults.set(alike, count + 1)
    if (count < LIKE_FAULTS_MAX) faults.push(`request ${index}, ${kind}: ${fault}`)
  }
  const lane = async (client: WireClient): Promise<void> => {
    while (next < count) {
      const index = next++
      const request = malformedRequest(seed, index, routes)
      const exchange = await client.send(request)
      const statuses = exchange.answers.map(({ status }) => String(status))
      for (const status of exchange.isClosed ? [...statuses, 'cut off'] : statuses)
        answers.set(status, (answers.get(status) ?? 0) + 1)
      for (const fault of faultsOf(request, exchange)) say(index, request, fault)
      slowestMs = Math.max(slowestMs, exchange.millis)
      if (exchange.millis > ANSWER_MS_MAX) slow.push(index)
      if (index % 200 === 0) largest = Math.max(largest, rssOf(served))
    }
    client.close()
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: CONNECTIONS }, () => lane(wireClient(address, ANSWER_TIMEOUT_MS))))
  const seconds = (performance.now() - started) / 1000
  for (const index of slow) {
    const request = malformedRequest(seed, index, routes)
    const millis = await quickest(address, request)
    if (millis > ANSWER_MS_MAX) say(index, request, `answered in ${Math.round(millis)} ms, also alone`)
  }
  return { requests: count, seconds, faults, answers, slowestMs, rssMiB: { before, largest } }
}

/** What was slow in a crowd, or while the machine did other things, is asked again alone. */
async function quickest(address: string, request: Malformed): Promise<number> {
  const client = wireClient(address, ANSWER_TIMEOUT_MS)
  let best = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { millis } = await client.send(request)
    if (millis >= 0) best = Math.min(best, millis)
  }
  client.close()
  return best
}

/** NaN where /proc does not tell: what is compared with it is never too much. */
const rssOf = ({ pid }: Served): number => usageOf(pid)?.rssMiB ?? Number.NaN
