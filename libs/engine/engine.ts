/** The seam of the engines: one decoded Kafka request in, one response out. `level` does the work, `kafka` forwards it, the gate wraps either. */
import type { AnyApi, RequestOf, ResponseOf } from '@assay/protocol'

/** One connection as handlers see it. */
export interface Session {
  /** Unique in this process. */
  readonly id: number
  /** `User:ANONYMOUS` until authentication says otherwise. */
  readonly principal: string
  readonly remoteAddress: string
  /** Whether the caller may know of a topic; absent where he may know of all. */
  readonly seesTopic?: (name: string) => boolean
  /** Aborted when the connection is gone: whoever waits on its behalf stops. */
  readonly closed: AbortSignal
}

export interface Request<A extends AnyApi = AnyApi> {
  readonly api: A
  readonly version: number
  readonly clientId: string | null
  readonly body: RequestOf<A>
}

/** An API with the versions that are advertised, which may be fewer than declared. */
export interface ServedApi {
  readonly api: AnyApi
  readonly versions: readonly [number, number]
}

/** A topic as the gate and the doors need to know it. */
export interface Topic {
  readonly name: string
  /** 32 hex digits. */
  readonly id: string
  readonly partitionCount: number
  /** What somebody has set, for the topic or for all topics, by its topic-level name (`retention.ms`, `assay.value.validation`). */
  readonly configs: ReadonlyMap<string, string>
}

export interface Engine {
  readonly apis: readonly ServedApi[]
  /**
   * The response body, or null when the protocol wants none (Produce with acks=0).
   * Expected failures are error codes inside the response; a rejection closes the connection.
   * A body that holds memory of a bounded budget (Fetch) has a `[Symbol.dispose]`: the door calls it once the bytes have been written.
   */
  answer(request: Request, session: Session): Promise<object | null>
  /** Topic by name or by ID (32 hex digits); undefined when there is none. */
  topic(ref: { readonly name: string } | { readonly id: string }): Topic | undefined | Promise<Topic | undefined>
  /** Answers what is under way, then closes. A second call is the same as the first. */
  close(): Promise<void>
}

/** Types a request and its response together: `await ask(engine, produce, 9, body, session)`. */
export async function ask<A extends AnyApi>(
  engine: Engine,
  api: A,
  version: number,
  body: RequestOf<A>,
  session: Session
): Promise<ResponseOf<A> | null> {
  return (await engine.answer({ api, version, clientId: 'assay', body } as Request, session)) as ResponseOf<A> | null
}
