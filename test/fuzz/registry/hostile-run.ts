/** Posts hostile schemas to a server one after the other, to be registered and to be compared, and tells every answer that was late or wrong. */
import { hostileSchemas } from '../../../libs/avro/hostile-schemas.fixture.ts'
import { type Called, type HttpCaller, httpCaller } from '../../http-caller.ts'
import type { Served } from '../../served.ts'
import { eventLoopDelayMs } from './metrics-page.ts'

export interface HostileOptions {
  readonly served: Served
  readonly count: number
  readonly seed: number
  readonly answerMsMax: number
}

export interface HostileReport {
  readonly requests: number
  /** How many answers there were of each status. */
  readonly answers: ReadonlyMap<number, number>
  readonly p99Ms: number
  readonly slowestMs: number
  /** Of the server's event loop, as the server tells it. */
  readonly delayMs: { readonly p99: number; readonly longest: number }
  readonly faults: readonly string[]
}

const TRIES = 5

interface Subject {
  readonly name: string
  readonly level: string
  readonly versions: readonly string[]
}

const field = (name: string, type: unknown): object => ({ name, type })
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `R${at}`)

/** What a team would have: some fields, some versions. */
const ordinary: Subject = {
  name: 'ordinary',
  level: 'FULL_TRANSITIVE',
  versions: [1, 2, 3, 4, 5].map(count =>
    JSON.stringify({
      type: 'record',
      name: 'Ordinary',
      fields: names(count).map(name => ({ ...field(name, ['null', 'string']), default: null }))
    })
  )
}

/** Legal, and as costly to compare with as the limits allow: wide unions, records that all use each other, many symbols and fields. */
const hostile: Subject = {
  name: 'hostile',
  level: 'FULL_TRANSITIVE',
  versions: [
    names(300).map(name => ({ type: 'record', name, fields: [field('a', 'int')] })),
    names(25).map((name, at) => ({
      type: 'record',
      name,
      fields: [1, 7, 13, 19].map(step => field(`f${step}`, ['null', `R${(at * step + step) % 25}`]))
    })),
    { type: 'enum', name: 'R', symbols: names(5000) },
    { type: 'record', name: 'R', fields: names(900).map(name => ({ ...field(name, ['null', 'long']), default: null })) },
    names(480).map(name => ({ type: 'fixed', name, size: 4 }))
  ].map(one => JSON.stringify(one))
}

export async function hostileRun({ served, count, seed, answerMsMax }: HostileOptions): Promise<HostileReport> {
  const server = httpCaller(served.http)
  for (const subject of [ordinary, hostile]) await prepare(server, subject)
  await eventLoopDelayMs(served.http)
  const faults: string[] = []
  const answers = new Map<number, number>()
  const latencies: number[] = []
  let index = 0
  for (const { kind, text } of hostileSchemas(count, seed)) {
    for (const path of pathsFor(index)) {
      const first = await server.call('POST', path, { schema: text })
      const millis =
        first.millis <= answerMsMax
          ? first.millis
          : await quickestAgain(server, { path, text, before: first.millis, answerMsMax })
      latencies.push(millis)
      answers.set(first.status, (answers.get(first.status) ?? 0) + 1)
      const what = `schema ${index}, ${kind} (${text.length} characters), ${path}`
      if (!isInOrder(first)) faults.push(`${what}: answered ${first.status} ${first.body.slice(0, 200)}`)
      if (millis > answerMsMax) faults.push(`${what}: answered ${first.status} in ${Math.round(millis)} ms`)
    }
    index++
  }
  server.close()
  latencies.sort((a, b) => a - b)
  return {
    requests: latencies.length,
    answers,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    slowestMs: latencies.at(-1) ?? 0,
    delayMs: await eventLoopDelayMs(served.http),
    faults
  }
}

function pathsFor(index: number): string[] {
  return [
    `/subjects/own-${index}/versions`,
    ...[ordinary.name, hostile.name].flatMap(subject => [
      `/subjects/${subject}/versions`,
      `/compatibility/subjects/${subject}/versions?verbose=true`
    ])
  ]
}

async function prepare(server: HttpCaller, { name, level, versions }: Subject): Promise<void> {
  await server.call('PUT', `/config/${name}`, { compatibility: 'NONE' })
  for (const schema of versions) {
    const { status, body } = await server.call('POST', `/subjects/${name}/versions`, { schema })
    if (status !== 200) throw new Error(`${name} could not be made: ${status} ${body}`)
  }
  await server.call('PUT', `/config/${name}`, { compatibility: level })
}

/** 200 for what is legal after all, a refusal with code and message for the rest. */
function isInOrder({ status, body }: Called): boolean {
  if (status === 200) return true
  const failure = JSON.parse(body) as { error_code?: unknown; message?: unknown }
  return status >= 400 && status < 500 && Number.isInteger(failure.error_code) && typeof failure.message === 'string'
}

interface Late {
  readonly path: string
  readonly text: string
  readonly before: number
  readonly answerMsMax: number
}

/** What took too long is asked again, in case the machine did something else; with white space around it, so that no memory knows it. */
async function quickestAgain(server: HttpCaller, { path, text, before, answerMsMax }: Late): Promise<number> {
  let best = before
  for (let attempt = 1; attempt < TRIES && best > answerMsMax; attempt++) {
    const { millis } = await server.call('POST', path, { schema: `${text}${' '.repeat(attempt)}` })
    best = Math.min(best, millis)
  }
  return best
}
