/** A Kafka API, declared once: types, codecs, ApiVersions, the reference page and the drift test all read this value. */
import type { Fields, MessageOf } from './field.ts'

export interface Api<Q extends Fields = Fields, R extends Fields = Fields> {
  /** Kafka's name, such as `Produce`. */
  readonly name: string
  readonly key: number
  /** The versions that have a codec. */
  readonly versions: readonly [number, number]
  /** What ApiVersions tells when that is more than is served; see Produce. */
  readonly advertised?: readonly [number, number]
  /** From this version on: compact lengths and tagged fields (KIP-482). */
  readonly flexibleSince: number
  readonly request: Q
  readonly response: R
}

// biome-ignore lint/suspicious/noExplicitAny: an API of whatever messages; they are read back with RequestOf and ResponseOf.
export type AnyApi = Api<any, any>
export type RequestOf<A> = A extends Api<infer Q, Fields> ? MessageOf<Q> : never
export type ResponseOf<A> = A extends Api<Fields, infer R> ? MessageOf<R> : never

export function api<Q extends Fields, R extends Fields>(declared: Api<Q, R>): Api<Q, R> {
  return declared
}
