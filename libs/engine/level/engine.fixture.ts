/** What tests of the engine share: a clock in hand, an engine on memory, sessions, and batches. */
import { type Log, openLogOver } from '@assay/log'
import {
  type AnyApi,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type Fields,
  type RequestOf,
  type ResponseOf
} from '@assay/protocol'
import { encodeBatch, type NewRecord } from '@assay/records'
import { type Clock, silentLogger } from '@assay/std'
import { faultyDisk } from '../../../test/faults/faulty-store.ts'
import { ask, type Session } from '../engine.ts'
import { type LevelEngine, levelEngine } from './level-engine.ts'
import type { LevelOptions } from './options.ts'

export interface FakeClock extends Clock {
  /** Moves time on, and runs what falls due on the way in its order. */
  advance(ms: number): void
}

export function fakeClock(startMs = 1_700_000_000_000): FakeClock {
  let nowMs = startMs
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>()
  return {
    now: () => nowMs,
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    advance(ms) {
      const endMs = nowMs + ms
      for (;;) {
        let next: { readonly atMs: number; readonly run: () => void } | undefined
        for (const timer of timers) if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer
        if (next === undefined) break
        timers.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.run()
      }
      nowMs = endMs
    }
  }
}

let lastSession = 0

export interface TestSession extends Session {
  close(): void
}

export function session(): TestSession {
  const controller = new AbortController()
  return {
    id: ++lastSession,
    principal: 'User:ANONYMOUS',
    remoteAddress: '127.0.0.1',
    closed: controller.signal,
    close: () => controller.abort()
  }
}

type Some<T> = T extends Buffer | readonly Buffer[]
  ? T
  : T extends readonly (infer E)[]
    ? readonly Some<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Some<T[K]> }
      : T

function filled(fields: Fields, given: Record<string, unknown>): Record<string, unknown> {
  for (const name of Object.keys(given)) if (!(name in fields)) throw new Error(`There is no field ${name}`)
  return Object.fromEntries(
    Object.entries(fields).map(([name, { shape }]) => {
      const value = given[name] === undefined ? shape.fallback : given[name]
      const structs = shape.kind === 'array' && Array.isArray(value) && shape.of !== undefined && !('shape' in shape.of)
      return [name, structs ? value.map(element => filled(shape.of as Fields, element)) : value]
    })
  )
}

export interface TestEngine {
  readonly engine: LevelEngine
  readonly log: Log
  readonly clock: FakeClock
  readonly session: TestSession
  /**
   * Asks at the newest version that is declared, unless one is given. What is left out of the body has its default. Both ways
   * go through the codec, so that a handler sees and gives what that version can carry.
   */
  ask<A extends AnyApi>(
    api: A,
    body: Some<RequestOf<A>>,
    options?: { version?: number; session?: Session }
  ): Promise<ResponseOf<A>>
  /** Closes engine and log, and opens both again on what is on disk. */
  restart(): Promise<TestEngine>
  /** Power goes: what was not synced is lost. Opens engine and log again on what is left. */
  crash(): Promise<TestEngine>
  /** Lets the next write of the journal fail, and all after it until a restart. */
  failNextWrite(): void
}

export async function openEngine(options: Partial<LevelOptions> = {}): Promise<TestEngine> {
  return openOn({ journal: faultyDisk(), index: faultyDisk() }, fakeClock(), options)
}

let seed = 0

/** What outlives an engine. */
interface Disks {
  readonly journal: ReturnType<typeof faultyDisk>
  readonly index: ReturnType<typeof faultyDisk>
}

async function openOn(disks: Disks, clock: FakeClock, options: Partial<LevelOptions>): Promise<TestEngine> {
  const log = await openLogOver({
    journal: await disks.journal.open(),
    index: await disks.index.open(),
    clock,
    logger: silentLogger
  })
  const engine = await levelEngine({
    log,
    clock,
    logger: silentLogger,
    random: byteCount => {
      const bytes = Buffer.alloc(byteCount, 0xaa)
      bytes.writeUInt32BE(++seed)
      return bytes
    },
    options,
    advertised: () => ({ host: 'broker.test', port: 9092 }),
    clusterId: 'cluster'
  })
  const own = session()
  return {
    engine,
    log,
    clock,
    session: own,
    async ask(api, body, { version = api.versions[1], session: on = own } = {}) {
      const whole = filled(api.request, body as Record<string, unknown>) as RequestOf<typeof api>
      const request = decodeRequest(api, version, Buffer.concat(encodeRequest(api, version, whole)))
      const answer = await ask(engine, api, version, request, on)
      if (answer === null) throw new Error(`${api.name} was not answered`)
      const bytes = Buffer.concat(encodeResponse(api, version, answer))
      ;(answer as Partial<Disposable>)[Symbol.dispose]?.()
      return decodeResponse(api, version, bytes)
    },
    async restart() {
      await engine.close()
      await log.close()
      return openOn(disks, clock, options)
    },
    async crash() {
      await Promise.all([disks.journal.crash(), disks.index.crash()])
      // Both would say that they cannot write: only their timers are to go.
      await Promise.allSettled([engine.close(), log.close()])
      return openOn(disks, clock, options)
    },
    failNextWrite: () => disks.journal.failWrite(1)
  }
}

/** Lets everything that can go on without time passing go on: a commit begins with a turn of the event loop, and another may follow from it. */
export async function settle(): Promise<void> {
  for (let turns = 4; turns > 0; turns--) await new Promise(resolve => setImmediate(resolve))
}

export const records = (clock: Clock, ...values: (string | NewRecord)[]): Buffer =>
  encodeBatch({
    baseTimestampMs: clock.now(),
    records: values.map(value => (typeof value === 'string' ? { key: null, value: Buffer.from(value) } : value))
  })
