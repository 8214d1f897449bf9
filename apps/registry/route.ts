/**
 * How a REST endpoint is declared: once, as a value that gives its types, its validation and its page in openapi.json.
 * `run` knows nothing of HTTP: it takes checked input and a context, and answers a value or throws an AssayError.
 */
import type { ErrorName } from '@assay/errors'
import type { Static, TObject, TSchema } from 'typebox'
import { t } from './json-schema.ts'
import type { Access } from './security/access.ts'
import type { Caller } from './security/caller.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Input<P extends TSchema, Q extends TSchema, B extends TSchema> {
  readonly params: Static<P>
  readonly query: Static<Q>
  readonly body: Static<B>
}

interface Declared {
  readonly method: Method
  /** With `:name` for a parameter. */
  readonly path: string
  /** What it takes to be answered, where security is on. */
  readonly access: Access
  readonly says: string
  /** Every expected failure but those of HTTP itself. */
  readonly errors: readonly ErrorName[]
  /** The reply is a text that is sent as it is; under this media type, or as the JSON that it holds already. Or there is none: 204. */
  readonly sends?: { readonly mediaType: string } | 'json text' | 'nothing'
  /** The reply is sent with status 503 when this is true of it: for those who look at nothing else. */
  readonly isUnavailable?: (reply: unknown) => boolean
  /** Sent with every answer that is not a failure. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route<C, P extends TObject, Q extends TObject, B extends TSchema, R extends TSchema> extends Declared {
  readonly params: P
  readonly query: Q
  /** Never for a method without a body. */
  readonly body: B
  readonly reply: R
  readonly run: (input: Input<P, Q, B>, context: C) => Static<R> | Promise<Static<R>>
  /**
   * For a client that asks for `text/event-stream`: the texts to send, one after the other, until the signal is aborted.
   * Failures before the promise resolves are answered like any other; later ones cut the answer off.
   */
  readonly streams?: (input: Input<P, Q, B>, context: C, signal: AbortSignal) => Promise<AsyncIterable<string>>
}

/** A route with its context inside, as the server takes it. */
export interface BoundRoute extends Declared {
  readonly params: TObject
  readonly query: TObject
  readonly body: TSchema
  readonly reply: TSchema
  readonly run: (input: UncheckedInput, caller: Caller) => Promise<unknown>
  readonly streams?: (input: UncheckedInput, caller: Caller, signal: AbortSignal) => Promise<AsyncIterable<string>>
}

/** What a route says of itself, bound or not. */
export type DeclaredRoute = Omit<BoundRoute, 'run' | 'streams'> & { readonly streams?: unknown }

export const takesBody = ({ method }: Pick<DeclaredRoute, 'method'>): boolean => method === 'POST' || method === 'PUT'

interface UncheckedInput {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

const nothing = t.Object({})
type Nothing = typeof nothing

type Given<C, P extends TObject, Q extends TObject, B extends TSchema, R extends TSchema> = Omit<
  Route<C, P, Q, B, R>,
  'params' | 'query' | 'body'
> &
  Partial<Pick<Route<C, P, Q, B, R>, 'params' | 'query' | 'body'>>

/** Declares a route on a context: `route<Registry>()({ … })`. Parts that are left out are empty objects. */
export function route<C>() {
  return <R extends TSchema, P extends TObject = Nothing, Q extends TObject = Nothing, B extends TSchema = Nothing>(
    given: Given<C, P, Q, B, R>
  ): Route<C, P, Q, B, R> => ({ params: nothing as never, query: nothing as never, body: nothing as never, ...given })
}

/** Any route on a context, whatever its parts. */
// biome-ignore lint/suspicious/noExplicitAny: the parts are checked where the route is declared; a list of routes needs none of them.
export type AnyRoute<C> = Route<C, any, any, any, any>

/**
 * Puts the context inside, so that routes on different contexts can stand in one list. A function gives each caller a context of his own:
 * one that shows only what he may see.
 */
export function bind<C extends object>(context: C | ((caller: Caller) => C), routes: readonly AnyRoute<C>[]): BoundRoute[] {
  const contextFor = typeof context === 'function' ? (context as (caller: Caller) => C) : () => context
  return routes.map(({ run, streams, ...declared }) => ({
    ...declared,
    run: async (input, caller) => (await run(input as AnyInput, contextFor(caller))) as unknown,
    ...(streams && { streams: (input, caller, signal) => streams(input as AnyInput, contextFor(caller), signal) })
  }))
}

type AnyInput = Input<TObject, TObject, TSchema>

/** `/subjects/:subject` -> `/subjects/{subject}`. */
export const openPath = (path: string): string => path.replace(/:(\w+)/g, '{$1}')
